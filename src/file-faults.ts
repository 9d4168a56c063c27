/** The part of the catalogue of errors.ts that says what is wrong with a file as a whole. */
export const fileFaults = {
  'file-unreadable': { exit: 2, status: 400, todo: 'Check the path and the permissions of the file.' },
  'file-gone': {
    exit: 1,
    status: 409,
    todo: 'Deliver it again if it is still to be imported; write files under a name in .part and rename them.',
  },
  'link-broken': { exit: 1, status: 400, todo: 'Put the file itself there, or remove the link.' },
  'link-outside': {
    exit: 1,
    status: 400,
    todo: 'Put the file or folder itself there: whoever may write to the inbox could have any file read otherwise.',
  },
  'not-a-file': { exit: 1, status: 400, todo: 'Put an ordinary file there, or remove it.' },
  'file-exists': {
    exit: 1,
    status: 409,
    todo: 'Move the file out of the way; Payrun never overwrites what it has written.',
  },
  'file-refused': {
    exit: 1,
    status: 400,
    todo: 'Correct the file and import it again; nothing of it was recorded.',
  },
} as const;
