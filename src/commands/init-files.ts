/** The payrun.json that `payrun init` writes: one account with one programme, every key explained. */
export const starterConfig = `// The configuration of this Payrun workspace. After a change: "payrun check", then "payrun apply".
{
  "accounts": [
    {
      // A short name for the business: what --account names. It must not change later.
      "ref": "acme",
      "name": "Acme Inc.",

      "programs": [
        {
          "ref": "main",
          "name": "Acme Partners",

          // Commissions are kept and paid in this currency. It must not change once there are sales.
          "currency": "USD",
          // Holds and payout periods follow the calendar of this zone.
          "timezone": "Europe/Berlin",

          // Days between a sale and the moment its commission may be paid.
          "hold_days": 30,

          // What a sale earns unless an incentive matches: { "percent": "20" } of its amount, or
          // { "fixed": "5.00" }. Without this key only incentives earn.
          "commission": { "percent": "20" },
          // Half a cent: "half_up" rounds it away from zero, "half_even" to the even cent.
          "rounding": "half_up",

          // A smaller balance waits for the next payout.
          "minimum_payout": "50.00",
          // "every": "week", "half_month" or "month". "net_days": days to wait after the period has ended.
          "payout_schedule": { "every": "month", "net_days": 0 },

          // "manual": a person approves each commission after its hold.
          "commission_approval": "automatic",
          // "manual": a person approves payouts before they are exported. "two_persons": another one than
          // prepared them. "automatic": they need no approval.
          "payout_approval": "manual",

          // Rules that earn something else. The one with the most conditions wins, then the higher priority.
          "incentives": [
            {
              "ref": "pro-yearly",
              "percent": "30",
              // Conditions, all optional: product_ids, price_ids, interval ("monthly", "yearly"), subscription_only.
              "product_ids": ["prod_pro"],
              "interval": "yearly",
              "subscription_only": true,
              // Its own hold, in place of the programme's.
              "hold_days": 45,
              // How long a customer earns: { "months": 12 } or { "payments": 3 }; for ever when left out.
              "duration": { "months": 12 },
              "priority": 10
            }
          ]
        }
      ],

      // Where sales come from. Files dropped into inbox/<ref>/ are imported by the nightly run.
      "sources": [
        {
          "ref": "offline",
          "kind": "sales_csv",
          "program": "main",
          // Dates without an offset were written in this zone; the programme's when left out.
          "timezone": "Europe/Berlin",
          // Payrun's field on the left, the column of your file on the right (or its position: "#3").
          // Needed are external_id, affiliate, amount, currency and occurred_at.
          "mapping": {
            "external_id": "Invoice No",
            "affiliate": "Partner",
            "amount": "Net total",
            "occurred_at": "Paid on"
          },
          // Values for what the file does not say.
          "defaults": { "currency": "USD" }
          // More, where a file needs it: "delimiter": ";", "decimal": ",", "date_format": "DD.MM.YYYY",
          // "encoding": "macroman", "sheet": "March" (of a workbook), "id_prefix": "shop:", "allow_empty": true,
          // "allow_partial": true (a last row that was cut off is rejected, not the file),
          // "limits": { "workbook_rows": 200000 }, "unattributed": "ignore" (sales of nobody's customers),
          // "preset": "shopify_orders" (a known export below these settings).
        },
        // A log of events, one JSON object a line; "stripe_events" is one of Stripe's.
        { "ref": "events", "kind": "affonso_events", "program": "main" }
      ]
    }
  ],

  // Who may read what Payrun writes: "0600" its owner alone, "0640" the group of the folder as well ("0660": write).
  "file_mode": "0600",

  // What "payrun start" runs, and when: minute, hour, day, month, weekday, in the zone's local time.
  "jobs": {
    // "missed": what to do about nights that passed while nothing ran: "latest" (the default), "all" or "none".
    "nightly": { "cron": "0 2 * * *", "timezone": "Europe/Berlin" }
  }
}
`;

/** Rates of exchange, for sales in another currency than their programme's; one row a pair and day. */
export const starterRates = 'from,to,day,rate,source\n';

/** The embedded database, with its password, is nothing to share. */
export const starterGitignore = '.payrun/\n';
