/**
 * Writes docs/failures.md from the catalogue of failure codes in packages/failure.
 * `--check` writes nothing and exits 1 where the file is not what it would be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CATALOGUE } from '@scanflow/failure/catalogue';
import { format, resolveConfig } from 'prettier';

const PAGE = new URL('../docs/failures.md', import.meta.url);
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const HEAD = `# Every failure, by its code

Generated from the catalogue in \`packages/failure/src/catalogue/\` (\`npm run generate\`).

For facility IT: what a code means, and what you do about it. You find codes in \`scanflow doctor\`, \`/api/series\`, \`/healthz\`, the log, and files beside
the data. **Kind** says what happens without you:

| Kind | Means |
| - | - |
| **transient** | Scanflow retries, with growing pauses of at most an hour; nothing is lost meanwhile |
| **permanent** | a retry alone does not help; it waits for you, and shows |
| **ambiguous** | it may have worked: the peer broke off before it answered. Scanflow repeats it, which is harmless, since the peer knows the image by its UID |
| **notice** | nothing failed, but somebody should know |

Codes of bookings and of reading calendars: [booking-reference.md](booking-reference.md). Codes of fetching calendars (\`FETCH_…\`): [operations.md](operations.md#calendars).`;

const named = (codes: string): string =>
  codes
    .split(' ')
    .map((code) => `\`${code}\``)
    .join(', ');

const sections = CATALOGUE.map(({ title, intro = '', failures, outro = '' }) => {
  const rows = failures.map((row) => {
    const [codes = '', ...rest] = row.split(' | ');
    return [named(codes), ...rest];
  });
  const table = [['Code', 'Kind', 'Means', 'What to do'], ['-', '-', '-', '-'], ...rows];
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return [`## ${title}`, intro, lines, outro].filter((part) => part !== '').join('\n\n');
});
const page = await format([HEAD, ...sections].join('\n\n'), {
  ...(await resolveConfig(fileURLToPath(PAGE))),
  parser: 'markdown',
});

if (!values.check) await writeFile(PAGE, page);
else if ((await readFile(PAGE, 'utf8').catch(() => undefined)) !== page) {
  console.error('docs/failures.md is not what the catalogue says: npm run generate');
  process.exitCode = 1;
}
