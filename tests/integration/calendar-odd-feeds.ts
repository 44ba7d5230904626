/** Calendars with something around them, indented ones, and rules as programs write them. */
import { calendar, plain, TITLE, utf8, type OddInput } from './calendar-odd-support.ts';

const indented = (by: string): string =>
  plain
    .trimEnd()
    .split('\r\n')
    .map((line) => by + line)
    .join('\r\n');
/** By the depth of each component. */
const nested = (lines: readonly string[]): string => {
  let depth = 0;
  return lines
    .map((line) => {
      if (line.startsWith('END:')) depth -= 1;
      const text = '  '.repeat(depth) + line;
      if (line.startsWith('BEGIN:')) depth += 1;
      return text;
    })
    .join('\n');
};

const around: readonly OddInput[] = [
  {
    name: 'a notice of PHP',
    bytes: utf8(
      `<br />\n<b>Notice</b>:  Undefined index: id in <b>/srv/ics.php</b> on line <b>12</b><br />\n${plain}`,
    ),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a warning of PHP as text',
    bytes: utf8(`\nWarning: Cannot modify header information in /srv/ics.php on line 3\n\n${plain}`),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a notice on the line of BEGIN',
    bytes: utf8(`<b>Notice</b>: x<br />${plain}`),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a comment before',
    bytes: utf8(`<!-- made by export.php -->\n${plain}`),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a comment behind',
    bytes: utf8(`${plain}<!-- Page generated in 0.2 seconds. -->\n`),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a comment on the line of END',
    bytes: utf8(`${plain.trimEnd()}<!-- 0.2 s -->`),
    notes: ['FEED_TEXT_AROUND'],
  },
  { name: 'a calendar in <pre>', bytes: utf8(`<pre>${plain}</pre>`), notes: ['FEED_TEXT_AROUND'] },
  {
    name: 'a mail around it',
    bytes: utf8(`MIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8\n\n${plain}\n--boundary--\n`),
    notes: ['FEED_TEXT_AROUND'],
  },
  {
    name: 'a notice inside a description',
    bytes: utf8(plain.replace(TITLE, `DESCRIPTION:x\r\n<br />\r\n<b>Notice</b>: y in <b>z</b>\r\n${TITLE}`)),
  },
  {
    name: 'a notice between properties',
    bytes: utf8(plain.replace('DTEND', 'PHP Notice:  y in z on line 3\r\nDTEND')),
  },
  { name: 'blank lines around', bytes: utf8(`\r\n\r\n${plain}\r\n\r\n`) },
  { name: 'all lines indented by blanks', bytes: utf8(indented('    ')), notes: ['FEED_INDENTED'] },
  { name: 'all lines indented by tabs', bytes: utf8(indented('\t')), notes: ['FEED_INDENTED'] },
  { name: 'indented by depth', bytes: utf8(nested(plain.trimEnd().split('\r\n'))), notes: ['FEED_INDENTED'] },
  {
    name: 'indented by depth, and folded',
    bytes: utf8(nested(plain.trimEnd().split('\r\n')).replace('sub-001 ses', 'sub-0\n     01 ses')),
    notes: ['FEED_INDENTED'],
  },
];

const rules: readonly OddInput[] = [
  'FREQ=WEEKLY;COUNT=1;BYDAY=MO, WE',
  'FREQ=WEEKLY; COUNT = 1; BYDAY = MO , WE',
  'RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=1;SKIP=OMIT',
  'freq=weekly;count=1;byday=mo;',
  'FREQ=WEEKLY;COUNT=1;RSCALE=GREGORIAN;SKIP=BACKWARD',
].map((rule) => ({ name: `RRULE:${rule}`, bytes: utf8(calendar(TITLE, `RRULE:${rule}`)) }));

export const ODD_FEEDS: readonly OddInput[] = [...around, ...rules];
