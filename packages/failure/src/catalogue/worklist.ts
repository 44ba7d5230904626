/** Failures of the worklist, of bookings and calendars, and of every service. */
import type { Section } from './types.ts';

export const WORKLIST: readonly Section[] = [
  {
    title: 'Worklist: files of items',
    intro:
      'Shown by `/api/worklist` of the worklist service. Where the last good content is still known, it is served.',
    failures: [
      ['TOO_LARGE NOT_A_FILE', 'notice', 'what lies there is no file of a reasonable size', 'take it away'],
      ['UNREADABLE', 'notice', 'it cannot be read', 'permissions; it is read again by itself'],
      [
        'BROKEN',
        'notice',
        'it is no complete DICOM file; the message names the place',
        "write it anew; cal2wl's own are whole",
      ],
      ['NOT_A_WORKLIST_ITEM', 'notice', 'it has no Scheduled Procedure Step Sequence', 'take it away'],
      [
        'INCOMPLETE',
        'notice',
        'attributes are missing that scanners need; it is served all the same',
        'have its writer add them',
      ],
      [
        'MALFORMED',
        'notice',
        'values are not of their kind: a UID with letters, a date that no calendar has; it is served all the same, and some scanners drop it',
        'have its writer correct them',
      ],
      [
        'TEXT_ASSUMED',
        'notice',
        'text declares no character set, or another one than it is written in; it is served as `worklist.assumedCharacterSet` says',
        'have its writer declare it (0008,0005)',
      ],
      [
        'DUPLICATE',
        'notice',
        'it schedules a step that a newer file schedules too; of a data set: the same tag twice with two values',
        'take one of them away',
      ],
    ],
  },
  {
    title: "Worklist: why an item is not in a scanner's list",
    intro: 'Shown by `scanflow worklist explain` ([not on the list](not-on-the-list.md)).',
    failures: [
      [
        'NOT_IN_FOLDER',
        'notice',
        'no item has this accession number',
        'look at the booking: `scanflow bookings`',
      ],
      ['FILE_NOT_SERVED', 'notice', 'its file cannot be served', 'see the code of the file above'],
      [
        'LEFT',
        'notice',
        'its exam was reported as done, or its slot is long past',
        '`worklist.performed`, `worklist.retain`',
      ],
      ['NOT_ADMITTED', 'notice', 'the scanner may not ask', 'correct its AE title, or the configuration'],
      [
        'OUT_OF_VIEW',
        'notice',
        'the scanner sees items of other stations only',
        "`worklist.view`, or the scanner of the booking's calendar",
      ],
      ['QUERY_UNREADABLE', 'notice', "the scanner's query is no data set", 'report it to the vendor'],
      ['QUERY_REFUSED', 'notice', 'a key of the query is not valid', 'correct what was typed at the console'],
      [
        'KEY',
        'notice',
        'a key of the query asks for something else than the item has',
        'widen the query at the console, or correct the booking',
      ],
      [
        'LIMIT',
        'notice',
        'more items match before it than a query is answered with',
        'ask for less, or raise `worklist.maxAnswers`',
      ],
    ],
  },
  {
    title: 'Bookings: before an update',
    intro:
      'Shown by `scanflow bookings --changes` ([updating](updating.md)), beside the codes of bookings that are rejected.',
    failures: [
      [
        'LOST',
        'notice',
        "a published booking's event is nowhere in the calendar any more",
        'look whether it was deleted there; if not, do not update yet',
      ],
    ],
  },
  {
    title: 'cal2wl',
    failures: [
      [
        'PUBLISH',
        'transient',
        'a worklist item or booking record could not be written',
        'check space and permissions of the data folder',
      ],
      [
        'PROJECTS_UNREADABLE',
        'permanent',
        'the list of projects holds none; what it last said counts',
        'one project a line, or a JSON array of texts',
      ],
      [
        'FETCH_UNEXPECTED',
        'transient',
        'fetching a calendar failed in a way that nobody foresaw',
        'look into the log, and tell us',
      ],
      ['FEED_EMPTY', 'transient', 'the answer is empty', 'open the address in a browser'],
      [
        'FEED_HTML',
        'transient',
        'a web page came instead of a calendar: a login, an error',
        "use the calendar's own iCalendar address",
      ],
      ['FEED_NOT_ICALENDAR', 'transient', 'it is no iCalendar', 'as above'],
      ['FEED_TRUNCATED', 'transient', 'it breaks off', "wait; if it stays, ask the server's people"],
      ['FEED_UNBALANCED', 'transient', 'its parts do not fit together', 'as above'],
      [
        'FEED_TOO_MUCH',
        'transient',
        'more than can be read: lines, events or memory',
        'publish a shorter span of time',
      ],
      [
        'FEED_UNEXPECTED',
        'transient',
        'the reader failed, not the calendar; it is tried again',
        'if it stays: memory of this machine, the log',
      ],
      ['FEED_TIMEOUT', 'transient', 'reading it took too long', 'publish a shorter span of time'],
      [
        'FEED_SECOND_BOM',
        'notice',
        'it has a byte order mark more than its first one; it was read',
        'let the program that puts it together leave them out',
      ],
      [
        'FEED_TEXT_AROUND',
        'notice',
        'text stands outside the calendar, such as a notice of PHP or a comment; the calendar was read',
        'open the address in a browser, and mend what the text says',
      ],
      [
        'FEED_INDENTED',
        'notice',
        'its lines are indented, which RFC 5545 does not allow; it was read',
        'let the program write lines from their first column',
      ],
      [
        'FEED_NOT_UTF8',
        'notice',
        'lines are not UTF-8; they were read in the declared character set, else as Windows-1252',
        'check names with accents; let the program write UTF-8',
      ],
    ],
  },
  {
    title: 'Every service',
    failures: [
      [
        'HTTP_LISTEN',
        'permanent',
        'the port of `/healthz` and `/metrics` is taken',
        'stop what has it, or set another under `http.ports`',
      ],
      [
        'HTTP_TOKEN',
        'notice',
        'the internal token is not there and cannot be made; the pages with labels stay closed, all else goes on',
        '`docker compose up -d`, or let the services write `token/` in the data folder: [security.md](security.md#the-internal-token)',
      ],
    ],
    outro:
      'A configuration with mistakes has no codes: each is told with file, line and column, and the service does not start.',
  },
];
