/** Failures of Orthanc, of routing, and of cleaning up. */
import type { Section } from './types.ts';

export const ORTHANC: readonly Section[] = [
  {
    title: 'Orthanc',
    failures: [
      [
        'ORTHANC_UNREACHABLE',
        'transient',
        'it does not answer, or broke off',
        'see that it runs; check `orthanc.url`',
      ],
      [
        'ORTHANC_STALLED',
        'transient',
        'the connection is open and silent for 2 minutes',
        'look at its load and its disks',
      ],
      [
        'ORTHANC_DENIED',
        'transient',
        "it refuses the streamer's user",
        'correct `orthanc.username` and `orthanc.passwordFile`',
      ],
      ['ORTHANC_ERROR', 'transient', 'it answered with a status such as 500', "look into Orthanc's log"],
      [
        'ORTHANC_UNCLEAR',
        'transient',
        'its answer is not that of an Orthanc',
        'check `orthanc.url`; a proxy or another program may answer there',
      ],
      [
        'ORTHANC_TRUNCATED',
        'transient',
        'it promised more bytes of an image than it sent. After four attempts the streamer gives the image up (permanent), and the others go on',
        "check Orthanc's disk; send the image again from the scanner: storing then goes on by itself",
      ],
      [
        'ORTHANC_CORRUPT',
        'transient',
        'the bytes are not those that it received (MD5). The streamer gives up after four attempts, as above',
        "check Orthanc's disk; send the image again from the scanner",
      ],
      [
        'ORTHANC_GONE',
        'permanent',
        'it no longer has the requested thing; for images you see `SOURCE_GONE`',
        'see `SOURCE_GONE`',
      ],
      [
        'SOURCE_GONE',
        'permanent',
        'the series, or images of it, were deleted from Orthanc before they were stored',
        'send them again from the scanner; find out who deletes in Orthanc',
      ],
      [
        'ORTHANC_RECYCLES',
        'notice',
        'Orthanc deletes its oldest images by itself, also those that are not stored yet',
        'set `MaximumStorageSize` and `MaximumPatientCount` to 0, or `MaximumStorageMode` to `Reject`',
      ],
      [
        'ORTHANC_WIPED',
        'notice',
        'its change numbers began anew: somebody emptied the database',
        'nothing, if somebody meant to; the streamer looks at everything in it again',
      ],
      ['ORTHANC_REPLACED', 'notice', 'it is another database than before', 'as above'],
    ],
  },
  {
    title: 'Which project a series belongs to',
    intro:
      'A series with one of these is `quarantined`: it is not stored or sent yet, and all of it is in Orthanc.',
    failures: [
      [
        'ERASED',
        'permanent',
        'images of an erased series or subject came again. They wait in Orthanc, and nothing stores or sends them. Or a person tried to give a series the labels of such a subject',
        'delete them from Orthanc, and where they came from ([privacy.md](privacy.md))',
      ],
      [
        'ROUTE_NO_MATCH',
        'notice',
        'no booking record, and the patterns do not match',
        'correct the booking, or `arrivals.patterns`; the streamer looks again by itself',
      ],
      [
        'ROUTE_INCOMPLETE',
        'notice',
        'no booking record, and the patterns give only some of the labels',
        'as above',
      ],
      [
        'ROUTE_LABEL',
        'notice',
        'no booking record, and a label that the patterns find breaks `bookings.labels`, or is a name of our own files',
        'release it with the right labels',
      ],
      [
        'ROUTE_PATTERN_SLOW',
        'notice',
        'no booking record, and a pattern takes longer than its time limit on a value of the images',
        'rewrite the pattern as `scanflow check` shows',
      ],
      [
        'ROUTE_CONTRADICTION',
        'notice',
        'Patient ID, name or Study UID reads as another booking, subject or project than the accession number; or two patterns give two values for one label',
        '`scanflow series show ID` names both values; find out who was scanned, then `scanflow series release`, or correct the booking',
      ],
      [
        'ROUTE_DOUBT',
        'notice',
        'a weak sign stands against the booking, and `arrivals.doubts` says `quarantine` for its kind',
        '`scanflow series show ID` names it; release the series, or set the kind to `show`',
      ],
      [
        'ROUTE_CORRECTED',
        'permanent',
        'images of a stored series were sent again with other identifiers. By these it belongs elsewhere, or nobody knows where. It stays where it is, and both are stored ([storage](storage.md#sent-again-after-a-correction))',
        'find out which is right; `scanflow series move ID` with the right labels, or `scanflow series release ID` with those that it has',
      ],
      [
        'ROUTE_CORRECTED_IN_PART',
        'notice',
        'some images of a series that is not stored yet were sent again with other identifiers. The other images disagree',
        'send the rest again, too; or release the series with the right labels',
      ],
      [
        'ROUTE_UNKNOWN_SENDER',
        'notice',
        'the AE title that sent it is not one that `arrivals.from` admits',
        'add it to `sends` of its scanner and restart the streamer; or release the series, or delete it from Orthanc',
      ],
      [
        'PERFORMED_UNREADABLE',
        'notice',
        'the record of an exam in `performed/` is unreadable; it counts as absent',
        'look at its permissions',
      ],
      [
        'BOOKING_UNREADABLE',
        'notice',
        'a file of `bookings/` is unreadable; it counts as absent',
        'look at its permissions; cal2wl writes it anew when the booking changes',
      ],
    ],
  },
  {
    title: 'Cleaning up Orthanc',
    intro: 'With one of these, the streamer deletes nothing of the series from Orthanc.',
    failures: [
      [
        'CLEANUP_NO_RECORD',
        'permanent',
        'the folder or its `series.json` is no longer in project storage',
        'put it back, or retry the series',
      ],
      [
        'CLEANUP_UNKNOWN_IMAGES',
        'permanent',
        'Orthanc has images of the series that `series.json` does not have',
        'retry the series: it stores what is missing',
      ],
      [
        'CLEANUP_WAITS',
        'notice',
        'something of the series is not done yet: a leg, a hook, more images',
        '`scanflow series show ID` says what; nothing needs doing while it is under way',
      ],
      [
        'CLEANUP_FILE_CHANGED',
        'permanent',
        'a stored image is missing or changed',
        'compare the folder with its manifest (`sha256sum -c`); a retry pulls what is missing',
      ],
    ],
  },
];
