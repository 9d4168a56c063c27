import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

// Node takes a moment for every file: hundreds of small ones were most of the time that a command takes to start. So
// our own become a few, and take in the two libraries that consist of many.
const takenIn = ['kysely', 'zod'];
const jobs = readdirSync('jobs').map((file) => `jobs/${file.replace(/\.ts$/, '')}`);

export default defineConfig({
  input: {
    cli: 'src/cli.ts',
    index: 'src/index.ts',
    ...Object.fromEntries(jobs.map((job) => [job, `${job}.ts`])),
  },
  platform: 'node',
  external: (id, importer, isResolved) =>
    importer !== undefined && !isResolved && /^[\w@]/.test(id) && !takenIn.includes(id),
  output: { dir: 'dist', chunkFileNames: '[name].js' },
  plugins: [
    {
      name: 'licences',
      generateBundle() {
        const texts = takenIn.map(
          (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`,
        );
        this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join('\n\n') });
      },
    },
  ],
});
