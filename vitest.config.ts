import { defineConfig } from 'vitest/config';
import { tries } from './test/support/tries.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    testTimeout: 120_000 * tries,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
