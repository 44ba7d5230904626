/**
 * Prints how large the product is: files, lines, median, longest file, import circles.
 *
 *     node scripts/figures.ts            # the working tree
 *     node scripts/figures.ts af4114a    # a commit
 *
 * A product file is a `.ts` file below `src/` of a package or service that is no `*.test.ts`. The testkit counts, the demo does not.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
const PRODUCT = /^(?:packages|services)\/[^/]+\/src\/.*\.ts$/;
const CRUISE = join(ROOT, 'node_modules/.bin/depcruise');
const CONFIG = join(ROOT, '.dependency-cruiser.json');

const execute = promisify(execFile);
const run = async (cwd: string, command: string, ...args: string[]): Promise<string> =>
  (await execute(command, args, { cwd, maxBuffer: 2 ** 28 })).stdout;

/** A commit's files beside our node_modules, with the workspaces of that commit. */
const checkedOut = async (commit: string, folder: string): Promise<void> => {
  const archive = join(folder, 'tree.tar');
  await run(ROOT, 'git', 'archive', '-o', archive, commit);
  await run(folder, 'tar', '-xf', archive);
  await mkdir(join(folder, 'node_modules/@scanflow'), { recursive: true });
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '@scanflow')
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  for (const name of await readdir(join(folder, 'packages')))
    await symlink(join(folder, 'packages', name), join(folder, 'node_modules/@scanflow', name));
};

interface Module {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
}

/** Groups of files that import each other, directly or by a detour. */
const circles = (modules: readonly Module[]): string[][] => {
  const next = new Map(modules.map((one) => [one.source, one.dependencies.map(({ resolved }) => resolved)]));
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [...(next.get(from) ?? [])];
    for (let file = open.pop(); file !== undefined; file = open.pop())
      if (!seen.has(file)) {
        seen.add(file);
        open.push(...(next.get(file) ?? []));
      }
    return seen;
  };
  const reached = new Map([...next.keys()].map((file) => [file, reach(file)]));
  const found = new Map<string, string[]>();
  for (const [file, seen] of reached)
    if (seen.has(file)) {
      const group = [...seen].filter((other) => reached.get(other)?.has(file) === true).sort();
      found.set(group.join(), group);
    }
  return [...found.values()];
};

const figures = async (folder: string, listed: string): Promise<void> => {
  const files = listed.split('\n').filter((file) => PRODUCT.test(file) && !file.endsWith('.test.ts'));
  const counted = await Promise.all(
    files.map(async (file) => ({
      file,
      lines: (await readFile(join(folder, file), 'utf8')).split('\n').length - 1,
    })),
  );
  counted.sort((a, b) => a.lines - b.lines);
  const cruised = await run(
    folder,
    CRUISE,
    '--output-type',
    'json',
    '--config',
    CONFIG,
    'packages',
    'services',
  );
  const found = circles((JSON.parse(cruised) as { modules: Module[] }).modules);
  const longest = counted.at(-1);
  const below = (folder: string): number => files.filter((file) => file.startsWith(folder)).length;
  const [board, testkit] = [below('services/dashboard/'), below('packages/testkit/')];
  console.log(`product files   ${files.length} (the day board ${board}, the testkit ${testkit})`);
  console.log(`lines           ${counted.reduce((sum, { lines }) => sum + lines, 0)}`);
  console.log(`median          ${counted[Math.floor((counted.length - 1) / 2)]?.lines ?? 0}`);
  console.log(`longest         ${longest?.lines ?? 0} (${longest?.file ?? 'none'})`);
  console.log(`import circles  ${found.length} (${found.flat().length} files)`);
};

const commit = process.argv[2];
if (commit === undefined)
  await figures(
    ROOT,
    await run(ROOT, 'git', 'ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'),
  );
else {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-figures-'));
  try {
    await checkedOut(commit, folder);
    await figures(folder, await run(ROOT, 'git', 'ls-tree', '-r', '--name-only', commit));
  } finally {
    await rm(folder, { recursive: true });
  }
}
