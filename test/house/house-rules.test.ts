import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { broken, readSources, type SourceFile } from './house-rules.ts';

const root = path.resolve(import.meta.dirname, '../..');

function source(file: string, ...imports: string[]): SourceFile {
  return { file, imports, text: '' };
}

describe('the house', () => {
  it('keeps its own rules', () => {
    const sources = readSources(root, ['src', 'jobs']);
    expect(sources.length).toBeGreaterThan(50);
    expect(broken(sources)).toEqual([]);
  });

  it.each([
    ['the ledger imports a command', source('src/ledger/a.ts', 'src/commands/b.ts'), 'imports only go down'],
    [
      'imports and payouts know each other',
      source('src/imports/a.ts', 'src/payouts/payout.ts'),
      'imports only go down',
    ],
    [
      'a command reaches past a room’s parent',
      source('src/commands/a.ts', 'src/imports/sales.ts'),
      'is entered by src/imports/import.ts',
    ],
    ['a job reaches past the public surface', source('jobs/a.ts', 'src/ledger/release.ts'), 'public surface'],
    ['a file stands in no room', source('src/stray.ts'), 'stands in no room'],
    ['a file is called utils', source('src/ledger/utils.ts'), 'says nothing'],
    ['a second index gathers exports', source('src/ledger/index.ts'), 'only src/index.ts'],
    [
      'work is left for later',
      { ...source('src/ids.ts'), text: `// TO${'DO'}: later` },
      'belongs in an issue',
    ],
    ['money becomes a float', { ...source('src/money.ts'), text: 'parseFloat(text)' }, 'never a float'],
    ['a file holds too much', { ...source('src/ids.ts'), text: '\n'.repeat(300) }, 'more than one thing'],
  ])('is told when %s', (_, file, message) => {
    expect(broken([file]).join('\n')).toContain(message);
  });

  it('is told of a circle, over several files and types alike', () => {
    const circle = [
      source('src/db/a.ts', 'src/db/b.ts'),
      source('src/db/b.ts', 'src/db/c.ts'),
      source('src/db/c.ts', 'src/db/a.ts'),
    ];
    expect(broken(circle)).toEqual([
      'src/db/a.ts -> src/db/b.ts -> src/db/c.ts -> src/db/a.ts: a circle of imports',
    ]);
  });

  it('lets a room use what lies below it', () => {
    expect(
      broken([source('src/imports/import.ts', 'src/runs/work.ts', 'src/ledger/record.ts', 'src/money.ts')]),
    ).toEqual([]);
  });
});
