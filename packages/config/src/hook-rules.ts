/** Rules between the keys of a hook. Pure. */
import type { Finding } from './explain.ts';
import { HOOK_FIELDS } from './hooks.ts';
import type { Config } from './schema.ts';
import { nearest } from './suggest.ts';

export const hookRules = (hooks: Config['hooks']): Finding[] =>
  Object.entries(hooks).flatMap(([name, hook]) => rulesOf(['hooks', name], hook));

function rulesOf(
  path: readonly string[],
  { command, url, secretFile, environment, when, on }: Config['hooks'][string],
): Finding[] {
  const findings: Finding[] = [];
  if ((command === undefined) === (url === undefined))
    findings.push({ path, message: 'expected exactly one of command and url' });
  if (secretFile !== undefined && url === undefined)
    findings.push({
      path: [...path, 'secretFile'],
      message: 'signs requests to a url, and there is none',
    });
  if (url !== undefined && Object.keys(environment).length > 0)
    findings.push({ path: [...path, 'environment'], message: 'is for a command, and there is none' });
  if (when?.modality !== undefined && on.every((event) => event === 'complete'))
    findings.push({
      path: [...path, 'when'],
      message: 'a session has no modality of its own; leave when out',
    });
  return [...findings, ...commandRules([...path, 'command'], command ?? [])];
}

function commandRules(path: readonly string[], command: readonly string[]): Finding[] {
  const [program] = command;
  const relative: Finding[] =
    program === undefined || /^\/[^{}\0]*$/.test(program)
      ? []
      : [
          {
            path: [...path, '0'],
            message: 'expected the absolute path of a program, like /usr/local/bin/convert',
          },
        ];
  return [
    ...relative,
    ...command.slice(1).flatMap((argument, index) => {
      const unknown = [...argument.matchAll(/\{(?<name>\w+)\}/g)]
        .map(({ groups }) => groups?.['name'] ?? '')
        .filter((name) => !HOOK_FIELDS.includes(name));
      return unknown.map((name) => ({ path: [...path, String(index + 1)], message: noField(name) }));
    }),
  ];
}

function noField(name: string): string {
  const close = nearest(name, HOOK_FIELDS);
  return `there is no {${name}} (there: ${HOOK_FIELDS.join(', ')})${close === undefined ? '' : `; did you mean {${close}}?`}`;
}
