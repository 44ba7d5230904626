import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATEGORIES, MARK, uidIn, withAnswer, type Answer } from './answer.ts';

/** Order, folds, unknown properties, a zone and an alarm, as a program wrote them. */
const EVENT = [
  'BEGIN:VCALENDAR',
  'X-ODD;X-P="a:b":1',
  'BEGIN:VTIMEZONE',
  'TZID:Europe/Amsterdam',
  'COMMENT:Scanflow: not ours',
  'END:VTIMEZONE',
  'BEGIN:VEVENT',
  'SUMMARY:a very long title that its program folds in the middle of a wo',
  ' rd\\, with Gr\u00fc\u00dfe',
  'UID:a@exam',
  ' ple.org',
  'COMMENT;LANGUAGE=en:left-handed',
  'CATEGORIES:MRI\\, 3T,PhD',
  'X-UNKNOWN:kept',
  'BEGIN:VALARM',
  'COMMENT:Scanflow: of the alarm',
  'END:VALARM',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
];
const bytes = (end: string, lines: readonly string[] = EVENT): Buffer => Buffer.from(lines.join(end));
const comment = (text: string): Answer => ({ property: 'comment', text: `${MARK}${text}` });
const REJECTED: Answer = { property: 'categories', text: CATEGORIES.rejected };
const edited = (object: Uint8Array, answer?: Answer): Buffer => {
  const made = withAnswer(object, answer);
  assert.ok(typeof made !== 'string', String(made));
  return made;
};

for (const [name, end] of [
  ['CRLF', '\r\n'],
  ['LF', '\n'],
] as const)
  test(`answer: one line more before the alarm, every other byte stays, and removing it restores the event (${name})`, () => {
    const before = bytes(end);
    for (const answer of [comment('rejected. No, really; it\u2019s \\ wrong'), REJECTED]) {
      const after = edited(before, answer);
      const at = before.indexOf('BEGIN:VALARM');
      assert.equal(after.subarray(0, at).compare(before.subarray(0, at)), 0);
      const rest = before.subarray(at);
      assert.equal(after.subarray(after.length - rest.length).compare(rest), 0);
      assert.equal(withAnswer(after, answer), 'same');
      assert.equal(edited(after).compare(before), 0);
      const other = edited(after, comment('something else'));
      assert.equal(edited(other).compare(before), 0, 'replaced, not added');
      assert.match(after.toString(), new RegExp(`${end}$`));
    }
    assert.equal(withAnswer(before, undefined), 'same');
  });

test('answer: lines of at most 75 octets, no character split, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 700 }), (text) => {
      const answer = comment(`x${text}`);
      const after = edited(bytes('\r\n'), answer);
      for (const line of after.toString('latin1').split('\r\n')) assert.ok(line.length <= 75, line);
      assert.ok(!after.toString().includes('\ufffd') || text.includes('\ufffd') || !text.isWellFormed());
      assert.equal(withAnswer(after, answer), 'same');
      assert.equal(edited(after).compare(bytes('\r\n')), 0);
    }),
    { numRuns: 200 },
  );
});

test('answer: a category that a program joined with others is cut out of their line', () => {
  const joined = (line: string): Buffer =>
    bytes(
      '\r\n',
      EVENT.map((one) => (one.startsWith('CATEGORIES') ? line : one)),
    );
  for (const line of [
    'CATEGORIES:MRI\\, 3T,Scanflow rejected,PhD',
    'CATEGORIES:Scanflow rejected,MRI\\, 3T,PhD',
    'CATEGORIES:MRI\\, 3T,PhD,Scanflow rejected',
  ]) {
    assert.equal(withAnswer(joined(line), REJECTED), 'same');
    assert.equal(edited(joined(line)).compare(bytes('\r\n')), 0, line);
  }
  assert.equal(withAnswer(joined('CATEGORIES:MRI\\, 3T,Scanflow rej\r\n ected,PhD'), undefined), 'unsafe');
});

test('answer: events with guests, exceptions alone, and what is no plain event are left alone', () => {
  const withLine = (line: string): Buffer =>
    bytes(
      '\r\n',
      EVENT.flatMap((one) => (one === 'X-UNKNOWN:kept' ? [one, ...line.split('\n')] : [one])),
    );
  for (const line of [
    'RECURRENCE-ID:20261130T080000Z',
    'ATTENDEE;CN=A:mailto:a@example.org',
    'END:VEVENT\nBEGIN:VEVENT',
    'BEGIN:VCALENDAR',
  ])
    assert.equal(withAnswer(withLine(line), REJECTED), 'unsafe', line);
  for (const text of [
    '',
    'BEGIN:VEVENT',
    'END:VEVENT\nBEGIN:VEVENT',
    'begin:vcalendar\nbegin:vevent\nend:vevent',
  ])
    assert.equal(withAnswer(Buffer.from(text), REJECTED), 'unsafe', text);
});

/** A series of which a person changed one occurrence: programs copy all properties into the exception. */
const series = (master: readonly string[] = [], exception: readonly string[] = []): Buffer =>
  bytes('\r\n', [
    ...EVENT.slice(0, 6),
    ...[
      'BEGIN:VEVENT',
      'UID:s',
      'RECURRENCE-ID:20261207T080000Z',
      'SUMMARY:mended',
      ...exception,
      'END:VEVENT',
    ],
    ...['BEGIN:VEVENT', 'UID:s', 'RRULE:FREQ=WEEKLY', 'EXDATE:20261214T080000Z', ...master],
    ...EVENT.slice(14),
  ]);
const COMMENT = 'COMMENT:Scanflow: rejected. No labels.';

test('answer: a series gets it in the event that repeats, every other byte stays, and no exception is made', () => {
  const answer = comment('rejected. No labels.');
  assert.equal(edited(series(), answer).compare(series([COMMENT])), 0);
  assert.equal(withAnswer(series([COMMENT]), answer), 'same');
  assert.equal(edited(series([COMMENT])).compare(series()), 0);
  assert.equal(withAnswer(series(), undefined), 'same');
});

test('answer: what a program copied into an exception goes, since it is about other occurrences', () => {
  const answer = comment('rejected. No labels.');
  assert.equal(edited(series([COMMENT], [COMMENT]), answer).compare(series([COMMENT])), 0);
  assert.equal(edited(series([COMMENT], [COMMENT])).compare(series()), 0);
  assert.equal(edited(series([], [COMMENT]), answer).compare(series([COMMENT])), 0);
});

test('answer: objects of several events are left alone where their UIDs differ, or one has guests', () => {
  const text = series().toString();
  for (const other of [
    text.replace('UID:s', 'UID:t'),
    text.replace('SUMMARY:mended', 'ATTENDEE:mailto:a@example.org'),
    text.replace('RECURRENCE-ID:20261207T080000Z', 'COMMENT:x'),
    text.replace('END:VEVENT\r\n', ''),
  ])
    assert.equal(withAnswer(Buffer.from(other), REJECTED), 'unsafe');
});

test('answer: bytes that are no UTF-8 stay', () => {
  const before = Buffer.concat([
    Buffer.from([...bytes('\r\n')].flatMap((byte) => (byte === 0x6d ? [0xe4] : [byte]))),
  ]);
  assert.equal(edited(edited(before, REJECTED)).compare(before), 0);
  assert.equal(uidIn(bytes('\r\n').toString()), 'a@example.org');
});
