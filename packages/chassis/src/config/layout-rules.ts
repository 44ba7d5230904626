/** Rules of storage.layout and storage.unmatched: below the root, only what can be filled, never two images with one name. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

const LABELS = ['project', 'subject', 'session'];
const FIELD = /\{(?<name>[A-Za-z][A-Za-z0-9]*)(?::(?<width>\d{1,2}))?\}/g;

export const layoutRules = ({ layout, unmatched }: Config['storage']): Finding[] => [
  ...problems(layout, true).map((message) => ({ path: ['storage', 'layout'], message })),
  ...(unmatched === 'quarantine'
    ? []
    : problems(unmatched, false).map((message) => ({ path: ['storage', 'unmatched'], message }))),
];

/** `labelled`: of images whose project, subject and session are known. */
function problems(layout: string, labelled: boolean): string[] {
  const braces = layout.replaceAll(FIELD, '').match(/[{}][^/]*/)?.[0];
  const found = [
    ...pathProblems(layout),
    ...(braces === undefined
      ? []
      : [`cannot read the braces at ${braces}; expected {subject} or {SeriesNumber:3}`]),
    ...fieldNames(layout).flatMap((name) => fieldProblem(name, labelled) ?? []),
  ];
  // the other mistakes may well be the reason that it is not seen
  if (found.length === 0 && !fieldNames(layout).includes('SOPInstanceUID'))
    found.push('the layout needs {SOPInstanceUID}: without it two images could have the same name');
  return found;
}

function pathProblems(layout: string): string[] {
  if (layout.startsWith('/')) return ['the layout is relative to storage.root: no slash at its start'];
  const parts = layout.split('/');
  if (parts.some((part) => part === '..' || part === '.' || part === ''))
    return ['no part of the layout may be empty, . or ..'];
  return parts.length < 2
    ? ['the layout needs a folder and a file name, like {project}/{SOPInstanceUID}.dcm']
    : [];
}

function fieldProblem(name: string, labelled: boolean): string | undefined {
  // keywords of DICOM attributes begin with a capital (PS3.6)
  if (/^[A-Z]/.test(name)) return undefined;
  if (!LABELS.includes(name))
    return `{${name}} is no label; there are {project}, {subject}, {session} and keywords like {SeriesNumber}`;
  return labelled ? undefined : `{${name}} cannot be filled: these are the images whose project is not known`;
}

const fieldNames = (layout: string): string[] =>
  [...layout.matchAll(FIELD)].map(({ groups }) => groups?.['name'] ?? '');
