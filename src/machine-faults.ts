/** The part of the catalogue of errors.ts that says what a database server or an operating system refuses. */
export const machineFaults = {
  'database-login': {
    exit: 2,
    status: 503,
    todo: 'Correct user and password in DATABASE_URL, or what pg_hba.conf of the server says about them.',
  },
  'database-denied': {
    exit: 2,
    status: 503,
    todo: 'Have the owner of the database give the role its rights.',
  },
  'database-read-only': {
    exit: 2,
    status: 503,
    todo: 'Point DATABASE_URL at the primary server, or set default_transaction_read_only of the role to off.',
  },
  'database-exhausted': {
    exit: 1,
    status: 503,
    todo: 'Give the server more of what it lacks, then start the command again: nothing half done was kept.',
  },
  'database-busy': {
    exit: 1,
    status: 503,
    todo: 'Start the command again; where that does not help, end the session that holds the lock (pg_stat_activity shows it).',
  },
  'database-canceled': {
    exit: 1,
    status: 503,
    todo: 'Set statement_timeout of the role to 0, then start the command again: nothing half done was kept.',
  },
  'database-limit': {
    exit: 1,
    status: 400,
    todo: 'Shorten the text that is so long, or import fewer rows at a time; nothing half done was kept.',
  },
  'database-refused': {
    exit: 1,
    status: 400,
    todo: 'Nothing half done was kept. Correct the value; where nothing is wrong with it, run "payrun audit" and start the command again.',
  },
  'database-damaged': {
    exit: 1,
    status: 503,
    todo: 'Look into the server\'s log and at its disk before anything else is done; then run "payrun audit".',
  },
  'no-permission': {
    exit: 2,
    status: 500,
    todo: 'Change the owner or the permissions (chown, chmod), or run Payrun as the user who owns the workspace.',
  },
  'wrong-path': {
    exit: 2,
    status: 500,
    todo: 'Correct the path, or move what is in the way; then start the command again.',
  },
  'disk-full': {
    exit: 1,
    status: 507,
    todo: 'Free space there, then start the command again: nothing half done was kept.',
  },
  'too-many-files': {
    exit: 1,
    status: 503,
    todo: 'Raise the limit ("ulimit -n", or LimitNOFILE= of the service), then start the command again.',
  },
  'disk-fault': {
    exit: 1,
    status: 500,
    todo: 'Check the disk and its mount ("dmesg" tells more), then start the command again: nothing half done was kept.',
  },
  'system-fault': {
    exit: 1,
    status: 500,
    todo: 'Put right what the system names, then start the command again: nothing half done was kept.',
  },
} as const;
