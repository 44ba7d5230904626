/** The shape of `scanflow.yaml`: every key, its default, and what it means for the reader of docs/configuration.md. */
import { z } from 'zod';
import { bids } from './bids.ts';
import { answer, fetching } from './calendar.ts';
import { DAY_MS } from '@scanflow/runtime/time';
import {
  characterSet,
  aeTitle,
  bindAddress,
  cron,
  dicomText,
  duration,
  folder,
  host,
  interval,
  modality,
  port,
  timeZone,
  file,
} from './values.ts';
import { commitments, destination } from './destination.ts';
import { cleanup, hook, sessions, ledger, arrivals, tag } from './streaming.ts';
import { accessEntry, dicomProxies, listeningTls, view, receiver } from './network.ts';
import { dashboard } from './dashboard.ts';
import { notify } from './notify.ts';
import { storage } from './storage.ts';
import { ownVocabulary, scannerChoice, vocabulary } from './vocabulary.ts';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short name of a–z, 0–9, - and _, like prisma');

const facility = z.strictObject({
  name: z.string().min(1).describe('Name of the facility, for pages and reports.'),
  timezone: timeZone.describe('IANA time zone of the facility; calendar times without a zone count in it.'),
});

const scanner = z.strictObject({
  aet: aeTitle.describe('AE title with which the scanner calls; worklist items are scheduled for it.'),
  sends: z
    .array(aeTitle)
    .min(1)
    .optional()
    .describe(
      'AE titles with which it sends images or reports exams (MPPS), beside `aet`: many scanners use another one.',
    ),
  modality: modality.describe(
    'Modality (0008,0060) of its worklist items, such as `MR`, `CT`, `PT`, `MEG`, `US`.',
  ),
  stationName: dicomText(16).optional().describe('Scheduled Station Name; the AE title if absent.'),
  location: dicomText(16).optional().describe('Scheduled Procedure Step Location, such as the room.'),
  characterSet: characterSet
    .optional()
    .describe(
      'Character set that this scanner can show: its worklist uses it, and so do texts of its queries that declare none. If absent, that of its query, else `ISO_IR 192` (UTF-8).',
    ),
});

const calendar = z
  .strictObject({
    id: name
      .optional()
      .describe(
        'What accession numbers derive from. If absent, `NAME`. To rename a calendar, put its former name here: docs/booking-reference.md#renaming-a-calendar.',
      ),
    ...fetching,
    scanner: scannerChoice(name),
    window: z
      .strictObject({
        before: duration.optional().describe('Instead of `bookings.window.before`.'),
        after: duration.optional().describe('Instead of `bookings.window.after`.'),
      })
      .optional()
      .describe('Which of its slots are on the worklist.'),
    answer,
    ...ownVocabulary,
  })
  .describe('One booking calendar; exactly one of url, file, folder, caldav.');

const bookings = z.strictObject({
  every: interval(100, DAY_MS, 'from 100ms to 1d')
    .prefault('1m')
    .describe('How often cal2wl reads the calendars: from 100ms to 1d.'),
  cron: cron
    .optional()
    .describe(
      'Instead of `every`: a cron expression in the time zone of the facility, like `*/5 7-19 * * mon-fri`.',
    ),
  window: z
    .strictObject({
      before: duration
        .prefault('12h')
        .describe('Slots that ended at most this long ago stay on the worklist.'),
      after: duration.prefault('7d').describe('Slots that start at most this far ahead are on the worklist.'),
    })
    .prefault({}),
  ...vocabulary,
  patientId: z
    .string()
    .min(1)
    .default('{project}_{subject}')
    .describe('Template of Patient ID, of `{project}`, `{subject}` and `{session}`.'),
  patientName: z
    .string()
    .min(1)
    .default('{project}_{subject}')
    .describe("Template of Patient's Name, likewise."),
});

const worklist = z.strictObject({
  aet: aeTitle.default('SCANFLOW').describe('AE title of the worklist, which you type in at the scanners.'),
  bind: bindAddress
    .default('127.0.0.1')
    .describe(
      'Address on which the worklist listens: `127.0.0.1` only this machine, `0.0.0.0` all networks.',
    ),
  port: port.default(11112).describe('Port of the worklist.'),
  allow: z
    .union([z.enum(['scanners', 'any']), z.array(aeTitle).min(1)], {
      error: 'expected scanners, any, or a list of AE titles like [PRISMA, SKYRA]',
    })
    .default('scanners')
    .describe('Admitted calling AE titles: those of `scanners`, `any`, or a list of them.'),
  view: view.default('all'),
  performed: z
    .enum(['leave', 'keep'])
    .default('leave')
    .describe(
      'What becomes of an item when the scanner reports its exam as completed or discontinued (MPPS): it leaves the worklist at once, or is kept.',
    ),
  retain: z
    .union([z.literal('forever'), duration], {
      error: 'expected forever, or a duration like 12h or 7d, of at most 3650d',
    })
    .prefault('12h')
    .describe(
      'How long after the end of its slot an item leaves the worklist in any case. Without a booking record, its start counts instead. `forever`: never by time.',
    ),
  mpps: z
    .enum(['lenient', 'strict'])
    .default('lenient')
    .describe(
      'Reports of exams (MPPS) that lack attributes: `lenient` takes them, and `/api/performed` lists what is missing; `strict` refuses what PS3.4 table F.7.2-1 does not allow.',
    ),
  assumedCharacterSet: characterSet
    .optional()
    .describe(
      'Character set of texts in item files that declare none, or not the one that they use; also in queries of callers without `characterSet`. If absent: UTF-8 if the text is valid in it, else `ISO_IR 100`. `/api/worklist` lists such files.',
    ),
  access: z
    .record(aeTitle, accessEntry)
    .default({})
    .describe('What a caller has to prove beyond its AE title, each under its AE title.'),
  maxAnswers: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Most answers to a query. If more items match, it ends with status A700 after that many. If absent, no limit.',
    ),
  nameCase: z
    .enum(['ignore', 'exact'])
    .default('ignore')
    .describe("Whether `doe` finds `Doe`: upper and lower case in Patient's Name and other names of people."),
  proxies: dicomProxies,
  tls: listeningTls
    .optional()
    .describe(
      'TLS, as in DICOM PS3.15 annex B; the usual port is 2762. Files are read anew when they change.',
    ),
});

const orthancUrl = z.url({ protocol: /^https?$/, error: 'expected an address like http://orthanc:8042' });

const orthanc = z.strictObject({
  url: z
    .union([orthancUrl, z.array(orthancUrl).min(1).max(8)], {
      error: 'expected an address like http://orthanc:8042, or a list of such addresses',
    })
    .transform((given) => [given].flat())
    .describe(
      "Address of Orthanc's REST interface; or addresses of several Orthancs on one database, which stand in for each other.",
    ),
  username: z.string().min(1).optional().describe('User at Orthanc.'),
  passwordFile: file.optional().describe('File that holds the password; goes with `username`.'),
});

const http = z.strictObject({
  bind: bindAddress.default('127.0.0.1').describe('Address of the health, metrics and API pages.'),
  ports: z
    .strictObject({
      cal2wl: port.default(9101).describe('Port of cal2wl, which reads the calendars.'),
      worklist: port
        .default(9102)
        .describe('Port of the worklist service; its DICOM port is `worklist.port`.'),
      streamer: port.default(9103).describe('Port of the streamer.'),
      receiver: port
        .default(9106)
        .describe('Port of the receiver; its DICOM ports are `receiver.port` and `receiver.tls.port`.'),
      dashboard: port
        .default(9104)
        .describe('Port of the dashboard for programs; browsers use `dashboard.port`.'),
    })
    .prefault({}),
  hosts: z
    .array(host)
    .default([])
    .describe(
      'Further names and addresses by which programs open the pages, such as `scanflow.example.org`. Loopback, `bind` and the name of the service in the stack always work.',
    ),
  tokenFile: file
    .optional()
    .describe(
      'File of the internal token, which opens all pages but `/livez`, `/readyz`, `/healthz` and `/metrics`. If absent, `token/http-token` in the data folder. The services make it, and the `scanflow` command reads it.',
    ),
});

export const configSchema = z
  .strictObject({
    facility: facility.describe('The facility itself.'),
    data: folder.describe('Folder that the services share: worklist/, bookings/, cal2wl/, streamer/.'),
    scanners: z
      .record(name, scanner)
      .describe('The scanners, each under a short name (`NAME`) of your choice.'),
    calendars: z
      .record(name, calendar)
      .default({})
      .describe(
        'The booking calendars, each under a short name (`NAME`). Each has exactly one of `url`, `file`, `folder` and `caldav`.',
      ),
    bookings: bookings
      .prefault({})
      .describe(
        'How cal2wl reads bookings from the calendars. Lines `Project:`, `Subject:` and `Session:` in an event count before `patterns`. If the two contradict each other, cal2wl rejects the booking.',
      ),
    worklist: worklist.prefault({}).describe('The worklist that scanners query (DICOM Modality Worklist).'),
    receiver: receiver
      .prefault({})
      .describe(
        'Where scanners send their images. The receiver gives each to Orthanc before it says Success.',
      ),
    orthanc: orthanc.describe('The Orthanc that keeps arriving images.'),
    arrivals: arrivals.prefault({}).describe('Images that arrive in Orthanc.'),
    tag: tag.prefault({}).describe('The private tag that marks every image that Scanflow has handled.'),
    storage: storage.describe('Project storage, where images end up.'),
    destinations: z
      .record(name, destination)
      .default({})
      .describe(
        'DICOM nodes that get every image, or those of some modalities, each under a short name (`NAME`).',
      ),
    commitments: commitments
      .optional()
      .describe(
        'Where the streamer receives reports of storage commitment. If absent, it receives none. docs/commitment.md explains it.',
      ),
    hooks: z
      .record(name, hook)
      .default({})
      .describe(
        'Commands and web addresses that run on events of series and sessions, each under a short name (`NAME`). Each has exactly one of `command` and `url`. docs/hooks.md explains them.',
      ),
    bids: bids
      .optional()
      .describe(
        'Converts each complete session to BIDS, and validates it. If absent, nothing is converted. docs/bids.md explains it.',
      ),
    sessions: sessions.prefault({}).describe('The series of one study, together.'),
    cleanup: cleanup.prefault({}).describe('When images are deleted from Orthanc.'),
    ledger: ledger
      .prefault({})
      .describe(
        'The database of the streamer: where every series and each of its legs stands. docs/scale.md explains several streamers.',
      ),
    dashboard: dashboard
      .prefault({})
      .describe('The day board, where people see where each scan is. docs/board.md explains it.'),
    notify: notify
      .optional()
      .describe('Whom Scanflow tells what, and how. If absent, it tells nobody. docs/notify.md explains it.'),
    http: http
      .prefault({})
      .describe(
        'Where each service serves `/livez`, `/readyz`, `/healthz`, `/metrics` and its API. The API shows project, subject and session, and takes the internal token; docs/security.md explains it.',
      ),
    log: z
      .strictObject({
        level: z
          .enum(['error', 'warn', 'info', 'debug'])
          .default('info')
          .describe(
            'Least important lines that are written. At `debug`, names and labels of people are in the log.',
          ),
      })
      .prefault({})
      .describe('What the services write to their logs.'),
  })
  .describe('The configuration of Scanflow.');

/** The configuration with every default filled in. Durations are milliseconds. */
export type Config = z.output<typeof configSchema>;

/** JSON Schema (2020-12) of scanflow.yaml, as text with a final newline. */
export function jsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', reused: 'inline' });
  return `${JSON.stringify({ $schema, title: 'scanflow.yaml', ...schema }, null, 2)}\n`;
}
