/** Rules between the keys about how events are understood. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

type Calendar = Config['calendars'][string];
type Words = { readonly [Key in 'patterns' | 'defaults' | 'projects']?: Config['bookings'][Key] | undefined };

const LABELS = ['project', 'subject', 'session'] as const;

/** Every label is in each pattern or has a default; a list of projects is in one place. */
export function vocabularyRules(path: readonly string[], words: Words, inherited: Words = {}): Finding[] {
  const defaults = words.defaults ?? inherited.defaults ?? {};
  const given: Readonly<Record<string, unknown>> = defaults;
  const needed = LABELS.filter((name) => given[name] === undefined);
  const findings = (words.patterns ?? []).flatMap(({ names }, index): Finding[] => {
    const missing = needed.filter((name) => !names.includes(name));
    if (missing.length === 0) return [];
    const groups = missing.map((name) => `(?<${name}>…)`).join(', ');
    const message = `the pattern lacks the named ${missing.length === 1 ? 'group' : 'groups'} ${groups}`;
    return [{ path: [...path, 'patterns', String(index)], message }];
  });
  const { projects } = words;
  if (projects !== undefined && (projects.file === undefined) === (projects.url === undefined))
    findings.push({ path: [...path, 'projects'], message: 'expected exactly one of file and url' });
  return findings;
}

/** Every scanner that a calendar's rule names, with the path to it. */
export function scannersNamed(
  path: readonly string[],
  { scanner }: Pick<Calendar, 'scanner'>,
): [path: readonly string[], name: string][] {
  if (typeof scanner === 'string') return [[[...path, 'scanner'], scanner]];
  const { map, otherwise } = scanner;
  const mapped = Object.entries(map).map(([text, name]): [string[], string] => [
    [...path, 'scanner', 'map', text],
    name,
  ]);
  return otherwise === 'reject' || otherwise === 'skip'
    ? mapped
    : [...mapped, [[...path, 'scanner', 'otherwise'], otherwise]];
}
