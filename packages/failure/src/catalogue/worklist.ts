/** Failures of the worklist, of bookings and calendars, and of every service. */
import type { Section } from './types.ts';

export const WORKLIST: readonly Section[] = [
  {
    title: 'Worklist: files of items',
    intro:
      'Shown by `/api/worklist` of the worklist service. It serves the last good content while it knows that.',
    failures: [
      ['TOO_LARGE NOT_A_FILE', 'notice', 'it is no file, or a file of no reasonable size', 'take it away'],
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
        'correct the program that writes it',
      ],
      [
        'MALFORMED',
        'notice',
        'values are not of their kind: a UID with letters, a date that no calendar has; it is served all the same, and some scanners drop it',
        'correct the program that writes it',
      ],
      [
        'TEXT_ASSUMED',
        'notice',
        'text declares no character set, or not the one that it uses; it is served as `worklist.assumedCharacterSet` says',
        'make the program that writes it declare the set (0008,0005)',
      ],
      [
        'DUPLICATE',
        'notice',
        'a newer file schedules the same step, too. In a data set: the same tag twice with two values',
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
        'the scanner reported its exam as done, or its slot is long past',
        '`worklist.performed`, `worklist.retain`',
      ],
      ['NOT_ADMITTED', 'notice', 'the scanner may not query', 'correct its AE title, or the configuration'],
      [
        'OUT_OF_VIEW',
        'notice',
        'the scanner sees items of other stations only',
        "`worklist.view`, or the scanner of the booking's calendar",
      ],
      ['QUERY_UNREADABLE', 'notice', "the scanner's query is no data set", 'report it to the vendor'],
      ['QUERY_REFUSED', 'notice', 'a key of the query is not valid', 'correct the query at the console'],
      [
        'KEY',
        'notice',
        'a key of the query does not match the item',
        'widen the query at the console, or correct the booking',
      ],
      [
        'LIMIT',
        'notice',
        'more items match before it than a query may have answers',
        'narrow the query, or raise `worklist.maxAnswers`',
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
        'the list of projects holds none; its last good content counts',
        'one project per line, or a JSON array of texts',
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
        'the reader failed, not the calendar; cal2wl retries',
        'if it stays: memory of this machine, the log',
      ],
      ['FEED_TIMEOUT', 'transient', 'reading it took too long', 'publish a shorter span of time'],
      [
        'FEED_SECOND_BOM',
        'notice',
        'it has more than one byte order mark; it was read',
        'let the program that puts it together leave them out',
      ],
      [
        'FEED_TEXT_AROUND',
        'notice',
        'text stands outside the calendar, such as a notice of PHP or a comment; the calendar was read',
        'open the address in a browser, and correct what the text reports',
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
        'stop the program that has it, or set another under `http.ports`',
      ],
      [
        'HTTP_TOKEN',
        'notice',
        'the internal token is missing, and the service cannot make it; the pages with labels stay closed, all else goes on',
        '`docker compose up -d`, or let the services write `token/` in the data folder: [security.md](security.md#the-internal-token)',
      ],
    ],
    outro:
      'A configuration with mistakes has no codes: each is shown with file, line and column, and the service does not start.',
  },
];
