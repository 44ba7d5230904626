/** Failures of hooks, of the ledger, and those that nobody foresaw. */
import type { Section } from './types.ts';

export const STREAMER: readonly Section[] = [
  {
    title: 'Hooks',
    failures: [
      [
        'HOOK_CANNOT_START',
        'transient, permanent',
        'the command cannot be started',
        'check its path and permissions',
      ],
      [
        'HOOK_EXIT',
        'transient',
        'the command ended with an exit code other than 0',
        'its output, which the streamer keeps, says why',
      ],
      ['HOOK_KILLED', 'transient', 'the command was ended by a signal', 'look at its memory'],
      [
        'HOOK_TIMEOUT',
        'transient',
        'it took longer than its time',
        'look why it hangs, or give it more `timeout`',
      ],
      [
        'HOOK_STILL_RUNNING',
        'transient',
        'an earlier run of the command does not end',
        'end the named process; the hook then runs again',
      ],
      [
        'HOOK_ARGUMENT',
        'permanent',
        'a value would be an option of the command (begins with `-`)',
        'let the argument begin with a text: `--name={subject}`',
      ],
      [
        'HOOK_UNREACHABLE',
        'transient',
        "the webhook's address cannot be reached",
        'check its url and the network',
      ],
      [
        'HOOK_STATUS',
        'transient',
        'the webhook answered 5xx, 408 or 429',
        'look into the log of the program there',
      ],
      [
        'HOOK_REFUSED',
        'permanent',
        'the webhook answered another status than 2xx',
        'correct its url, or the program there',
      ],
      [
        'HOOK_NOT_CONFIGURED',
        'permanent',
        'the hook of a run is no longer in the configuration',
        'put it back and retry the run, or let it be',
      ],
      [
        'HOOK_SKIPPED',
        'notice',
        'a person gave a run up with `scanflow series skip`',
        'nothing; `retry` does not bring it back',
      ],
      [
        'HOOK_SECRET',
        'transient',
        'the secret that signs cannot be read; nothing is sent unsigned',
        'put the file there, readable for the streamer',
      ],
    ],
  },
  {
    title: 'Streamer: its ledger, and what nobody foresaw',
    failures: [
      [
        'LEDGER_FAILED',
        'transient',
        'the ledger cannot be written or read',
        'check space and permissions of the data folder; it goes on by itself',
      ],
      ['LEDGER_IN_USE', 'permanent', 'another streamer has it; this one does not start', 'stop one of them'],
      [
        'LEDGER_CORRUPT',
        'permanent',
        "the ledger's file is damaged; the streamer does not start, or ends",
        'check the disk, then `scanflow ledger rebuild` ([backup.md](backup.md))',
      ],
      [
        'LEDGER_ASIDE',
        'notice',
        'the ledger was put aside under the name that the log shows, and a new one made',
        'nothing; remove the old one when nobody misses anything',
      ],
      [
        'REBUILD_DOUBLE',
        'notice',
        'project storage has two folders of one series; the one that was written last counts',
        'look at both, and move one away',
      ],
      [
        'SENT_UNKNOWN',
        'permanent',
        'the ledger that recorded this sending is lost; the streamer sends nothing again by itself',
        'look at the destination; `scanflow series retry` sends missing images',
      ],
      [
        'LEDGER_TOO_NEW',
        'permanent',
        'a newer Scanflow wrote it; this one does not start',
        'run the newer one, or restore a backup',
      ],
      [
        'RESTORE_UNFINISHED',
        'permanent',
        'a restore was interrupted; no service starts, and no backup is made',
        'run `scanflow restore` again, then start ([backup.md](backup.md))',
      ],
      [
        'LEDGER_UNREACHABLE',
        'transient',
        'PostgreSQL, which holds the ledger, does not answer',
        'see that it runs; check `ledger.url`; the work goes on by itself',
      ],
      [
        'LEDGER_DENIED',
        'permanent',
        'PostgreSQL refuses the streamer',
        'correct `ledger.url` and `ledger.passwordFile`; the database has to exist, its user may make tables in it',
      ],
      [
        'LEDGER_TLS',
        'transient',
        'PostgreSQL does not prove who it is, or speaks no TLS although `ledger.tls` requires it; nothing is sent in the clear',
        'as the message says: renew its certificate, use a name that it has, correct `ledger.tls.ca`, turn TLS on there; the work goes on by itself',
      ],
      [
        'LEDGER_LEASE_LOST',
        'transient',
        'this streamer was held up for so long that another took the series over',
        'nothing; look why, if it comes often',
      ],
      [
        'LABELS_AGAIN',
        'notice',
        'another study, of another day, has images under the same labels (`arrivals.doubts.labels`)',
        'look whether the session was booked under the right labels; `scanflow series move` puts it elsewhere',
      ],
      [
        'SERIES_INCOMPLETE',
        'notice',
        'fewer images came than the scanner reported, or, as a warning, than the images themselves say',
        'check at the scanner whether it still sends; send it again',
      ],
      [
        'UNEXPECTED',
        'transient',
        'something unforeseen; the streamer retries it, and it stays visible',
        'look into the log at level debug, and tell us',
      ],
    ],
  },
];
