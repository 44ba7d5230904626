/** What a release is, decided from what is there: its notes, the reasons against it, the files of its bundle. Pure. */

/** Of the repository, beside the images: all that a machine without network needs to run them. */
export const BUNDLED = [
  'compose.yaml',
  'compose.*.yaml',
  'config',
  'deploy',
  'doctor.sh',
  'docs',
  'docker/haproxy/haproxy.cfg',
  'docker/pins.env',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
];

/** The tag of a version. */
export const tagOf = (version: string): string => `v${version}`;

export interface Standing {
  /** From package.json. */
  readonly version: string;
  /** The version that compose.yaml names. */
  readonly composed: string | undefined;
  readonly changelog: string;
  /** Files that differ from the commit, one per line. */
  readonly changed: string;
  /** Tags of this commit. */
  readonly tags: readonly string[];
}

/** Why this must not go out; sentences for people. Empty: it may. */
export function against({ version, composed, changelog, changed, tags }: Standing): string[] {
  const found: string[] = [];
  if (!/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?$/.test(version))
    found.push(`package.json: version ${version} is none: MAJOR.MINOR.PATCH is expected.`);
  if (composed !== version)
    found.push(
      `compose.yaml names images of version ${composed ?? '(none)'}, package.json says ${version}. Make them the same.`,
    );
  const heading = headingOf(changelog, version);
  if (heading === undefined) found.push(`CHANGELOG.md has no section ${version}. Write it.`);
  else if (/unreleased/i.test(heading))
    found.push(`CHANGELOG.md calls ${version} unreleased. Write the day of the release there.`);
  if (changed !== '') found.push(`Files differ from the commit. Commit them first:\n${changed}`);
  if (!tags.includes(tagOf(version)))
    found.push(`The commit has no tag ${tagOf(version)}. Set it: git tag ${tagOf(version)}`);
  return found;
}

const headings = (changelog: string): { line: string; at: number; end: number }[] => {
  const all = [...changelog.matchAll(/^## .*$/gm)];
  return all.map(([line], index) => ({
    line,
    at: all[index]?.index ?? 0,
    end: all[index + 1]?.index ?? changelog.length,
  }));
};

const isOf = (line: string, version: string): boolean =>
  line.replace(/^## \[?/, '').split(/[\s\]]/)[0] === version;

const headingOf = (changelog: string, version: string): string | undefined =>
  headings(changelog).find(({ line }) => isOf(line, version))?.line;

/** The section of a version, without its heading. Undefined: there is none. */
export function notesOf(changelog: string, version: string): string | undefined {
  const section = headings(changelog).find(({ line }) => isOf(line, version));
  if (section === undefined) return undefined;
  return `${changelog.slice(section.at + section.line.length, section.end).trim()}\n`;
}

/** The version that the images of a compose file have by default: `scanflow-cli:${SCANFLOW_VERSION:-0.2.0}`. Undefined: several, or none. */
export function composedVersion(compose: string): string | undefined {
  const found = new Set(
    [...compose.matchAll(/^\s*image: .*?\$\{SCANFLOW_VERSION:-([^}]*)\}/gm)].map(([, version]) => version),
  );
  return found.size === 1 ? [...found][0] : undefined;
}

/** `linux/arm64` → `arm64`, for names of files. */
export const shortPlatform = (platform: string): string =>
  platform.replace(/^linux\//, '').replaceAll('/', '-');
