import { defineJob, importInbox } from '../src/index.ts';

export default defineJob({
  name: 'import-events',
  summary: 'Import every file in the inbox folders of the sources that hold event logs.',
  run: (work) => importInbox(work, 'events'),
});
