/**
 * `npm run release -- [--dry-run] [--to FOLDER] [--platform linux/arm64 …] [--registry HOST/PATH/]`: everything that a facility gets
 * of the version in package.json, made from the tag of this commit.
 *
 *     FOLDER/scanflow-0.2.0-amd64/   the bundle: install.sh, images.tar.gz, compose files, docs, sbom/, SHA256SUMS
 *     FOLDER/scanflow-0.2.0-amd64.tar
 *     FOLDER/notes.md                the section of CHANGELOG.md
 *
 * A dry run lists what speaks against a release, makes all of it, and publishes nothing. Without it, the script refuses where something speaks
 * against it, and with --registry pushes the images. Exit: 0 made; 1 refused, or a step failed; 2 not started.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { against, BUNDLED, composedVersion, notesOf, shortPlatform, tagOf } from './release/plan.ts';

const ROOT = join(import.meta.dirname, '..');
/** Files whose services a facility may run. The demo and its PACS are for trying. */
const COMPOSE = ['compose.yaml', 'compose.scale.yaml', 'compose.monitoring.yaml', 'compose.demo.yaml'];

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    to: { type: 'string', default: join(ROOT, 'release') },
    platform: { type: 'string', multiple: true },
    registry: { type: 'string' },
  },
});

async function execute(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LONGEST_MS,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}`);
  return output.trim();
}

/** A build of all images from nothing takes minutes. */
const LONGEST_MS = 3_600_000;

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const say = (text: string): void => console.error(text);

interface Release {
  readonly version: string;
  readonly changelog: string;
  /** For every compose command: whatever this machine's .env says. */
  readonly env: Readonly<Record<string, string>>;
}

async function standing(): Promise<{ release: Release; reasons: string[] }> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const reasons = against({
    version,
    composed: composedVersion(await readFile(join(ROOT, 'compose.yaml'), 'utf8')),
    changelog,
    changed: await execute('git', ['status', '--porcelain']),
    tags: lines(await execute('git', ['tag', '--points-at', 'HEAD'])),
  });
  const env = { SCANFLOW_VERSION: version, SCANFLOW_REGISTRY: values.registry ?? '' };
  return { release: { version, changelog, env }, reasons };
}

const composeArgs = COMPOSE.flatMap((file) => ['-f', file]);

/** The platform of this engine, `linux/amd64`. */
const ownPlatform = (): Promise<string> =>
  execute('docker', ['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}']);

/** Builds all images for one platform, and names them. */
async function build({ env }: Release, platform: string): Promise<string[]> {
  const own = await ownPlatform();
  if (platform === own) await execute('docker', ['compose', ...composeArgs, '--profile', '*', 'build'], env);
  else
    await execute(
      'docker',
      ['buildx', 'bake', ...composeArgs, '--set', `*.platform=${platform}`, '--load'],
      env,
    );
  const images = lines(
    await execute('docker', ['compose', ...composeArgs, '--profile', '*', 'config', '--images'], env),
  );
  const unique = [...new Set(images)].toSorted();
  for (const image of unique) {
    const made = await execute('docker', [
      'image',
      'inspect',
      '--format',
      '{{.Os}}/{{.Architecture}}',
      image,
    ]);
    if (made !== platform) throw new Error(`${image} was built for ${made}, not for ${platform}`);
  }
  return unique;
}

/** `registry/scanflow-cli:0.2.0` → `scanflow-cli`. */
const plainName = (image: string): string => image.split('/').at(-1)?.replace(/:.*$/, '') ?? image;

/** What each image lists of itself: npm's packages where Node.js is in it, and Debian's. */
async function writeSboms(images: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const image of images) {
    const name = plainName(image);
    const lists = await execute('docker', [
      ...['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image, '-c'],
      'ls /usr/share/scanflow 2>/dev/null || true',
    ]);
    for (const list of lines(lists).filter((one) => /^(?:sbom\.cdx\.json|debian-packages\.txt)$/.test(one)))
      await writeFile(
        join(folder, `${name}.${list}`),
        `${await execute('docker', ['run', '--rm', '--network', 'none', '--entrypoint', 'cat', image, `/usr/share/scanflow/${list}`])}\n`,
      );
    if (!lists.includes('debian-packages.txt')) throw new Error(`${image} does not list what it holds`);
  }
}

async function saveImages(images: readonly string[], file: string): Promise<void> {
  const child = spawn('docker', ['save', ...images], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LONGEST_MS,
  });
  const ended = once(child, 'close');
  await pipeline(child.stdout, createGzip({ level: 6 }), createWriteStream(file));
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`docker save ended with ${String(code)}`);
  const handle = await open(file);
  await handle.sync();
  await handle.close();
}

async function writeSums(folder: string): Promise<void> {
  const sums: string[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of files.toSorted()) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    sums.push(`${hash.digest('hex')}  ${relative(folder, path)}`);
  }
  await writeFile(join(folder, 'SHA256SUMS'), `${sums.join('\n')}\n`);
}

async function bundle(release: Release, platform: string, images: readonly string[]): Promise<string> {
  const name = `scanflow-${release.version}-${shortPlatform(platform)}`;
  const to = resolve(values.to, name);
  const aside = `${to}.making`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  const files = lines(await execute('git', ['ls-files', '--', ...BUNDLED]));
  for (const file of files) {
    await mkdir(join(aside, file, '..'), { recursive: true });
    await copyFile(join(ROOT, file), join(aside, file));
  }
  await copyFile(join(ROOT, 'scripts/release/install.sh'), join(aside, 'install.sh'));
  await chmod(join(aside, 'install.sh'), 0o755);
  await writeFile(join(aside, 'VERSION'), `${release.version}\n`);
  await writeFile(join(aside, 'notes.md'), notesOf(release.changelog, release.version) ?? '');
  await writeSboms(images, join(aside, 'sbom'));
  say(`  saving ${images.length} images`);
  await saveImages(images, join(aside, 'images.tar.gz'));
  await writeSums(aside);
  await rm(to, { recursive: true, force: true });
  await rename(aside, to);
  await execute('tar', ['-C', resolve(values.to), '-cf', `${to}.tar`, name]);
  return `${to}.tar`;
}

/** Those asked for; by default this machine's, and arm64 and amd64 where buildx can build for them. */
async function platforms(): Promise<{ build: string[]; left: string[] }> {
  const own = await ownPlatform();
  if (values.platform !== undefined) return { build: values.platform, left: [] };
  const able = await execute('docker', ['buildx', 'inspect', '--bootstrap']).catch(() => '');
  const wanted = [...new Set([own, 'linux/amd64', 'linux/arm64'])];
  const can = (platform: string): boolean => platform === own || able.includes(platform);
  return { build: wanted.filter(can), left: wanted.filter((platform) => !can(platform)) };
}

const { release, reasons } = await standing();
for (const reason of reasons) say(`${values['dry-run'] ? 'would refuse' : 'refused'}: ${reason}`);
if (reasons.length > 0 && !values['dry-run']) process.exit(1);
await mkdir(values.to, { recursive: true });
await writeFile(join(values.to, 'notes.md'), notesOf(release.changelog, release.version) ?? '');
const { build: able, left } = await platforms();
for (const platform of left)
  say(`NOT BUILT FOR ${platform.toUpperCase()}: DOCKER BUILDX ON THIS MACHINE CANNOT BUILD FOR IT`);
for (const platform of able) {
  say(`${tagOf(release.version)} for ${platform}`);
  const images = await build(release, platform);
  console.log(await bundle(release, platform, images));
  if (!values['dry-run'] && values.registry !== undefined)
    for (const image of images) await execute('docker', ['push', image]);
}
