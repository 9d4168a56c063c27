import { defineJob, importInbox } from '../src/index.ts';

export default defineJob({
  name: 'import-sales',
  summary: 'Import every file in the inbox folders of the sources that hold sales.',
  run: (work) => importInbox(work, 'sales'),
});
