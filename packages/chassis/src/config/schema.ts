/** The shape of `scanflow.yaml`: every key, its default, and what it means for the reader of docs/configuration.md. */
import { z } from 'zod';
import { aeTitle, cron, duration, folder, pattern, privateGroup, timeZone } from './values.ts';

const port = z.int().min(0).max(65535);
const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a short name of a–z, 0–9, - and _, like prisma');

const facility = z.strictObject({
  name: z.string().min(1).describe('Name of the facility, for pages and reports.'),
  timezone: timeZone.describe(
    'IANA time zone of the facility; calendar times without a zone are read in it.',
  ),
});

const scanner = z.strictObject({
  aet: aeTitle.describe('AE title with which the scanner calls; worklist items are scheduled for it.'),
  modality: z
    .string()
    .regex(/^[A-Z]{2,16}$/, 'expected a DICOM modality such as MR')
    .describe('Modality (0008,0060).'),
  stationName: z
    .string()
    .min(1)
    .max(16)
    .optional()
    .describe('Scheduled Station Name; the AE title where absent.'),
  location: z.string().min(1).max(16).optional().describe('Scheduled Procedure Step Location.'),
  characterSet: z
    .enum(['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 101', 'ISO_IR 109', 'ISO_IR 110', 'ISO_IR 144', 'ISO_IR 192'])
    .default('ISO_IR 192')
    .describe('Character set that this scanner can show; its worklist is written in it.'),
});

const calendar = z
  .strictObject({
    url: z
      .url({
        protocol: /^https?$|^webcal$/,
        error: 'expected an address like https://booking.example.org/prisma.ics',
      })
      .optional()
      .describe('http, https or webcal address of the calendar.'),
    file: z.string().min(1).optional().describe('Path of an .ics file, relative to the configuration file.'),
    scanner: name.describe('The scanner that this calendar books.'),
    username: z.string().min(1).optional().describe('User for basic authentication.'),
    passwordFile: z.string().min(1).optional().describe('File that holds the password.'),
    timeout: duration.prefault('60s').describe('Longest time for one fetch.'),
    maxSize: z.int().min(1024).default(67_108_864).describe('Largest calendar in bytes, decoded.'),
  })
  .describe('One booking calendar; exactly one of url and file.');

const bookings = z.strictObject({
  every: duration.prefault('1m').describe('How often the calendars are read.'),
  cron: cron.optional().describe('Instead of every: a cron expression in the facility time zone.'),
  window: z
    .strictObject({
      before: duration
        .prefault('12h')
        .describe('Slots that ended at most this long ago stay on the worklist.'),
      after: duration.prefault('7d').describe('Slots that start at most this far ahead are on the worklist.'),
    })
    .prefault({}),
  patterns: z
    .array(pattern(['project', 'subject', 'session']))
    .min(1)
    .prefault([String.raw`^(?<project>\d{7}\.\d{2})[ _](?<subject>sub-?\w+)[ _](?<session>ses-?\w+)`])
    .describe('Patterns over SUMMARY; the first that matches gives project, subject and session.'),
  patientId: z.string().min(1).default('{project}_{subject}').describe('Template of Patient ID.'),
  patientName: z.string().min(1).default('{project}_{subject}').describe("Template of Patient's Name."),
});

const worklist = z.strictObject({
  aet: aeTitle.default('SCANFLOW').describe('AE title of the worklist SCP.'),
  bind: z.string().min(1).default('127.0.0.1').describe('Address on which the worklist SCP listens.'),
  port: port.default(11112).describe('Port of the worklist SCP.'),
  allow: z
    .union([z.enum(['scanners', 'any']), z.array(aeTitle).min(1)])
    .default('scanners')
    .describe('Calling AE titles that are admitted: those of scanners, any, or a list.'),
  view: z
    .enum(['all', 'own'])
    .default('all')
    .describe("What a caller sees: all items, or its own station's."),
});

const orthanc = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like http://orthanc:8042' })
    .describe("Address of Orthanc's REST interface."),
  username: z.string().min(1).optional().describe('User at Orthanc.'),
  passwordFile: z.string().min(1).optional().describe('File that holds the password.'),
});

const arrivals = z.strictObject({
  quiet: duration.prefault('60s').describe('A series is complete when nothing came for this long.'),
  poll: duration.prefault('2s').describe('How often Orthanc is asked for changes.'),
  patterns: z
    .record(z.string(), pattern([]))
    .prefault({
      PatientID: String.raw`^(?<project>\d{7}\.\d{2})_(?<subject>sub-?\w+)$`,
      StudyID: String.raw`^(?<session>ses-?\w+)$`,
    })
    .describe('Attribute keyword to pattern: labels of images that have no booking record. All must match.'),
});

const tag = z.strictObject({
  group: privateGroup.default('0021').describe('Odd group of the private tag, four hexadecimal digits.'),
  creator: z.string().min(1).max(64).default('SCANFLOW').describe('Private creator.'),
  element: z
    .string()
    .regex(/^[0-9a-fA-F]{2}$/, 'expected two hexadecimal digits')
    .default('10')
    .describe('Element within the block.'),
  value: z.string().max(64).default('DICOM send').describe('Value of the tag (LO).'),
});

const storage = z.strictObject({
  root: folder.describe('Root of project storage.'),
  layout: z
    .string()
    .min(1)
    .default(
      '{project}/raw/{subject}/{session}/{SeriesNumber:3}-{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm',
    )
    .describe(
      'Path of an image below the root: labels and attribute keywords in braces, `:3` pads with zeros.',
    ),
  unmatched: z
    .string()
    .min(1)
    .default('quarantine')
    .describe('`quarantine`, or the layout for images without a project.'),
});

const destination = z.strictObject({
  host: z.string().min(1).describe('Host name or address.'),
  port: port.min(1).describe('Port.'),
  aet: aeTitle.describe('Its AE title.'),
  callingAet: aeTitle.default('SCANFLOW').describe('AE title with which Scanflow calls.'),
  when: z
    .strictObject({
      modality: z.array(z.string().min(1)).min(1).optional().describe('Only these modalities.'),
    })
    .optional()
    .describe('Which series are sent; all where absent.'),
});

const http = z.strictObject({
  bind: z.string().min(1).default('127.0.0.1').describe('Address of the health, metrics and API pages.'),
  ports: z
    .strictObject({
      cal2wl: port.default(9101),
      worklist: port.default(9102),
      streamer: port.default(9103),
    })
    .prefault({}),
});

export const configSchema = z
  .strictObject({
    facility,
    data: folder.describe('Folder that the services share: worklist/, bookings/, streamer/.'),
    scanners: z.record(name, scanner),
    calendars: z.record(name, calendar).default({}),
    bookings: bookings.prefault({}),
    worklist: worklist.prefault({}),
    orthanc,
    arrivals: arrivals.prefault({}),
    tag: tag.prefault({}),
    storage,
    destinations: z.record(name, destination).default({}),
    http: http.prefault({}),
    log: z.strictObject({ level: z.enum(['error', 'warn', 'info', 'debug']).default('info') }).prefault({}),
  })
  .describe('The configuration of Scanflow.');

/** The configuration with every default filled in. Durations are milliseconds. */
export type Config = z.output<typeof configSchema>;
