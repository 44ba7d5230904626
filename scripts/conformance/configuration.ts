/** What the configuration decides, and its defaults. */
import { CHARACTER_SETS, NARROW_SETS, parseConfig, WIDE_SETS } from '@scanflow/config';
import { seconds, table } from './markdown.ts';

const MINIMAL = `facility: { name: Example, timezone: UTC }
data: /data
scanners: {}
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
destinations: { example: { host: example.org, port: 104, aet: EXAMPLE } }
`;
const parsed = parseConfig(MINIMAL, 'example');
if (!parsed.ok) throw new Error(parsed.issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
const { worklist, receiver, destinations } = parsed.config;

/** The default of `receiver.idle`, in milliseconds. */
export const idleDefault = receiver.idle;

export const configurationTable = (): string =>
  table(
    ['What', 'Key', 'Default'],
    [
      ['AE title of WORKLIST', '`worklist.aet`', worklist.aet],
      ['Its port', '`worklist.port`', String(worklist.port)],
      ['Its address', '`worklist.bind`', worklist.bind],
      ['Calling AE titles that it admits', '`worklist.allow`', String(worklist.allow)],
      ['Addresses, certificates and view by calling AE title', '`worklist.access`', 'none'],
      ['What a caller sees', '`worklist.view`', String(worklist.view)],
      [
        'Most answers to a query',
        '`worklist.maxAnswers`',
        worklist.maxAnswers === undefined ? 'no limit' : String(worklist.maxAnswers),
      ],
      ['Case of names', '`worklist.nameCase`', worklist.nameCase],
      ['An item after its exam (MPPS)', '`worklist.performed`', worklist.performed],
      ['Character set of a scanner', '`scanners.NAME.characterSet`', 'that of its query, else ISO_IR 192'],
      [
        'Character set of text that declares none',
        '`worklist.assumedCharacterSet`',
        'ISO_IR 192 if the text is valid in it, else ISO_IR 100',
      ],
      ['AE titles of RECEIVER', '`receiver.aets`', receiver.aets?.join(', ') ?? 'any'],
      ['Its port, and its port with TLS', '`receiver.port`, `receiver.tls.port`', `${receiver.port}, 2762`],
      ['Its address', '`receiver.bind`', 'that of `worklist.bind`'],
      ['Calling AE titles that it admits', '`arrivals.from`', String(parsed.config.arrivals.from ?? 'any')],
      ['Addresses and certificates by calling AE title', '`receiver.access`', 'none'],
      ['Longest pause in an association with it', '`receiver.idle`', seconds(receiver.idle)],
      ['AE title, host and port of a destination', '`destinations.NAME`', 'none'],
      [
        'AE title with which STREAMER calls it',
        '`destinations.NAME.callingAet`',
        destinations['example']?.callingAet ?? 'SCANFLOW',
      ],
      ['Storage commitment of a destination', '`destinations.NAME.commitment`', 'not requested'],
      ['Address and port for its reports', '`commitments.bind`, `commitments.port`', 'nothing listens'],
      ['TLS', '`worklist.tls`, `receiver.tls`, `commitments.tls`, `destinations.NAME.tls`', 'off'],
    ],
  );

export const characterSetTable = (): string =>
  table(
    ['', 'Specific Character Set (0008,0005)'],
    [
      [
        'Answers to scanners use',
        'the one configured, see section 6; else that of the query; else ISO_IR 192 (PS3.4 K.4.1.1.3.2)',
      ],
      ['Read and written, and can be configured', CHARACTER_SETS.join(', ')],
      ['The same, with code extensions: ISO 2022 IR', [...NARROW_SETS, ...WIDE_SETS].join(', ')],
      [
        'Another spelling',
        'read if it has one meaning: `iso_ir 100`, `ISO-IR 100`, `ISO IR100`, `latin1`, `utf-8`, `ISO 2022-IR 87`',
      ],
      [
        'Text that declares no set, or another one',
        'in a query: read in the set configured for the scanner; in an item file: in `worklist.assumedCharacterSet`, with a report',
      ],
      ['Characters that a set lacks', 'written without marks or in Latin letters, never as a question mark'],
    ],
  );
