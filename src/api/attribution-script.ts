/**
 * What a shop's pages load: it keeps who sent the visitor (`ref` and `aff_sess` of the address) for as long as the tab is
 * open. The checkout then puts both on the payment that it makes with Stripe, as `affiliate_id` and
 * `affiliate_session_id` of its metadata. A later link replaces an earlier one. Where the browser keeps nothing, nobody
 * is credited, and the page goes on.
 */
export const attributionScript = `(function () {
  var query = new URLSearchParams(location.search);
  try {
    ['ref', 'aff_sess'].forEach(function (name) {
      var value = query.get(name);
      if (value) sessionStorage.setItem(name === 'ref' ? 'aff_ref' : name, value);
    });
  } catch (refused) {}
})();
// At checkout, in payment_intent_data.metadata (and customer_update.metadata for renewals):
//   affiliate_id: sessionStorage.getItem('aff_ref'),
//   affiliate_session_id: sessionStorage.getItem('aff_sess')
`;
