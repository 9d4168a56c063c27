import { inOneLine, type PayrunError } from '../errors.ts';

/** What `payrun check` says of one thing. */
export interface Finding {
  check:
    | 'config'
    | 'database'
    | 'schema'
    | 'applied'
    | 'clock'
    | 'payouts'
    | 'night'
    | 'inbox'
    | 'folder'
    | 'jobs';
  status: 'ok' | 'note' | 'problem';
  message: string;
  todo?: string;
  exitCode?: number;
}

export function problemOf(check: Finding['check'], fault: PayrunError): Finding {
  const { todo, exitCode } = fault;
  return { check, status: 'problem', message: inOneLine(fault), todo, exitCode };
}
