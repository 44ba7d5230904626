/** What the configuration decides, and its defaults. */
import { parseConfig } from '@scanflow/chassis';
import { isWritableCharacterSet } from '@scanflow/dicom';
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

/** Of `receiver.idle`, in milliseconds. */
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
      ['Character set of a scanner', '`scanners.NAME.characterSet`', 'ISO_IR 192'],
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

/** PS3.3 tables C.12-2 to C.12-5. */
const SINGLE = [
  ...['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 101', 'ISO_IR 109', 'ISO_IR 110', 'ISO_IR 144', 'ISO_IR 127'],
  ...['ISO_IR 126', 'ISO_IR 138', 'ISO_IR 148', 'ISO_IR 203', 'ISO_IR 13', 'ISO_IR 166', 'ISO_IR 192'],
  ...['GB18030', 'GBK'],
];

export const characterSetTable = (): string =>
  table(
    ['', 'Specific Character Set (0008,0005)'],
    [
      ['Answers to scanners are written in', 'the one configured, see section 6; else any of the next line'],
      ['Written', SINGLE.filter(isWritableCharacterSet).join(', ')],
      ['Read', `those, and code extensions: ISO 2022 IR of the single-byte ones, 87, 159, 149, 58`],
      [
        'What a character set lacks',
        'is written without its marks or in Latin letters, never as a question mark',
      ],
    ],
  );
