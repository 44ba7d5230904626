/** Patterns of the configuration: the same meaning as in V8, without its time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backtracking, PatternTooSlow, compilePattern, type Matcher } from './pattern.ts';

/** What both engines must agree on: the samples of docs, defaults and fixtures are compared in config-patterns.test.ts. */
const SAMPLES = [
  String.raw`^(?<project>\d{7}\.\d{2})[ _](?<subject>sub-?\w+)[ _](?<session>ses-?\w+)`,
  String.raw`^(?<project>P\d+)[ _/](?<subject>S\d+)(?:[ _/](?<session>\d+))?`,
  String.raw`^(?<project>\S+) (?<subject>\S+) (?<session>\S+)$`,
  String.raw`(?<project>.+?)\s*[-–]\s*(?<subject>\p{Lu}\p{L}*\d{1,3})\b`,
  String.raw`^(?<project>(?:\w+[- ]?)+) (?<subject>sub-\d+) (?<session>ses-\d+)$`,
  String.raw`^[^\s]*\s[^\S]?(?<subject>[\w.-]+)`,
  String.raw`(?<project>[\u0041-\u{5A}\x61-\x7a]{2,4}?)(?<subject>[[:digit-]+|\.\/\$)`,
  String.raw`^(?<project>a|ab)(?<subject>c|bcd)(?<session>d*)$`,
  String.raw`\B(?<subject>\W\D\S)[^]`,
  String.raw`(?<subject>[]|\p{Script=Cyrillic}+|\P{L}{2})`,
];

const found = (matcher: Matcher, text: string): unknown => {
  const match = matcher.exec(text);
  return match === null ? null : { text: match[0], index: match.index, groups: { ...match.groups } };
};

/** V8 backtracks for hours on some of these patterns. A text that takes it too long is compared with nothing. */
const inV8 = (source: string): Matcher => ({ source, exec: backtracking(new RegExp(source, 'u')) });
function agree(ours: Matcher, native: Matcher, text: string, source: string): void {
  try {
    assert.deepEqual(found(ours, text), found(native, text), JSON.stringify([source, text]));
  } catch (error) {
    if (!(error instanceof PatternTooSlow)) throw error;
  }
}

/** Pieces of titles, and what makes trouble beside them. */
const title = fc
  .array(
    fc.oneof(
      fc.constantFrom('3010000.01', 'sub-001', 'ses-mri01', 'P12', 'S7', 'ab', 'bcd', 'abcd', 'sub', 'ses-'),
      fc.constantFrom(
        ' ',
        '_',
        '-',
        '/',
        '.',
        ':',
        '[',
        '\n',
        '\u00a0',
        '\u2028',
        '\u000b',
        '\ufeff',
        '\r',
        '',
      ),
      fc.constantFrom('é', 'e\u0301', 'Иван', '٣', '😀', 'ſ', '\u212a', '漢', '0', 'O'),
      fc.string({ maxLength: 4, unit: 'binary' }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join('').toWellFormed());

test('pattern: both engines find the same in any title', () => {
  for (const source of SAMPLES) {
    const [native, ours] = [inV8(source), compilePattern(source)];
    assert.equal(ours.engine, 'linear', source);
    fc.assert(
      fc.property(title, (text) => {
        agree(ours, native, text, source);
      }),
      { numRuns: 400 },
    );
  }
});

/** Patterns as people build them, out of parts. */
const part = fc.letrec<{ atom: string; sequence: string; all: string }>((tie) => ({
  atom: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        ...[String.raw`\d`, String.raw`\w`, String.raw`\s`, '.', 'a', 's', '-', 'é'],
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...['[a-z]', String.raw`[^\s]`, String.raw`\p{L}`, '[ _]', String.raw`\b`, '^', '$'],
      ),
    },
    { weight: 2, arbitrary: tie('all').map((inside) => `(?:${inside})`) },
  ),
  sequence: fc
    .array(
      fc
        .tuple(tie('atom'), fc.constantFrom('', '', '', '+', '*', '?', '{2}', '{1,3}', '+?', '*?', '??'))
        .map(([atom, sign]) => (/^(?:\^|\$|\\b)$/.test(atom) ? atom : atom + sign)),
      { maxLength: 4 },
    )
    .map((atoms) => atoms.join('')),
  all: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((ways) => ways.join('|')),
})).all;

test('pattern: both engines find the same for generated patterns', () => {
  fc.assert(
    fc.property(part, part, title, (first, second, text) => {
      const source = `(?<project>${first})[ _]?(?<subject>${second})`;
      const ours = compilePattern(source);
      if (ours.engine === 'linear') agree(ours, inV8(source), text, source);
    }),
    { numRuns: 1000 },
  );
});

test('pattern: letters, digits, marks and spaces are the same characters in both engines', () => {
  for (const name of [
    '\\p{L}',
    '\\p{N}',
    '\\p{M}',
    '\\p{Lu}',
    '\\s',
    '\\S',
    '\\w',
    '\\d',
    '.',
    '\\p{Script=Greek}',
  ]) {
    const [native, ours] = [new RegExp(`^${name}$`, 'u'), compilePattern(`^${name}$`)];
    assert.equal(ours.engine, 'linear');
    const differing: string[] = [];
    for (let code = 0; code <= 0x10ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      if ((ours.exec(character) === null) === native.test(character)) differing.push(code.toString(16));
    }
    assert.deepEqual(differing, [], name);
  }
});

test('pattern: what takes V8 minutes takes the linear engine no time', () => {
  const pattern = compilePattern(
    String.raw`^(?<project>(?:\w+[- ]?)+) (?<subject>sub-\d+) (?<session>ses-\d+)$`,
  );
  const began = performance.now();
  for (const length of [40, 200, 2000]) assert.equal(pattern.exec(`${'a'.repeat(length)}!`), null);
  assert.ok(performance.now() - began < 1000);
});

test('pattern: what the linear engine cannot say runs under a limit, and the next texts are matched', () => {
  const pattern = compilePattern(String.raw`^(?!x)(?<project>(?:\w+[- ]?)+) (?<subject>sub-\d+)$`);
  assert.equal(pattern.engine, 'backtracking');
  assert.deepEqual(pattern.names, ['project', 'subject']);
  for (let turn = 0; turn < 20; turn += 1)
    assert.throws(() => pattern.exec(`${'a'.repeat(40)}${turn}!`), PatternTooSlow);
  const began = performance.now();
  for (let turn = 0; turn < 20; turn += 1)
    assert.throws(() => pattern.exec(`${'a'.repeat(40)}${turn}!`), PatternTooSlow);
  assert.ok(performance.now() - began < 300, 'a slow text is remembered');
  assert.deepEqual({ ...pattern.exec('abc sub-01')?.groups }, { project: 'abc', subject: 'sub-01' });
  assert.equal(pattern.exec('xbc sub-01'), null);
});

test('pattern: the reason why one is not linear, and a rewritten pattern that finds the same groups', () => {
  const rewritten = [
    [String.raw`(?<subject>sub-\d+)(?=\s|$)`, String.raw`(?<subject>sub-\d+)(?:\s|$)`],
    [String.raw`(?<!\w)(?<subject>sub-\d+)(?!\d)`, String.raw`(?:^|\W)(?<subject>sub-\d+)(?:$|\D)`],
    [String.raw`(?<=[ _])(?<subject>sub-\d+)`, String.raw`(?:[ _])(?<subject>sub-\d+)`],
  ];
  for (const [source = '', better = ''] of rewritten) {
    const { engine, advice = '' } = compilePattern(source);
    assert.equal(engine, 'backtracking', source);
    assert.ok(advice.endsWith(`; write ${better}`), advice);
    const [before, after] = [compilePattern(source), compilePattern(better)];
    fc.assert(
      fc.property(title, (text) =>
        assert.equal(after.exec(text)?.groups?.['subject'], before.exec(text)?.groups?.['subject'], text),
      ),
    );
  }
  for (const [source, reason] of [
    [String.raw`^(?!x)(?<subject>a)`, /looks ahead/],
    [String.raw`(?<a>x)\k<a>`, /refers back/],
    [String.raw`(?:(?<subject>a)|b)+`, /a group inside a repetition/],
    [String.raw`(?:a?)*`, /repeats what may be empty/],
    ['(?i:sub)', /flags/],
    [String.raw`\p{Emoji}`, /property Emoji/],
    ['a{2000}', /too large/],
  ] as const)
    assert.match(compilePattern(source).advice ?? '', reason, source);
});
