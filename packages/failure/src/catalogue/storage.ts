/** Failures of project storage, of verification, and of the private tag. */
import type { Section } from './types.ts';

export const STORAGE: readonly Section[] = [
  {
    title: 'Project storage',
    failures: [
      ['STORE_DISK_FULL', 'transient', 'no space', 'free some; storing goes on by itself'],
      [
        'STORE_SPACE_FLOOR',
        'transient',
        'less would stay free than `storage.freeSpace` says; nothing failed, it waits',
        'free some, or lower it; storing goes on by itself',
      ],
      ['STORE_QUOTA', 'transient', 'the quota is used up', 'raise it'],
      ['STORE_DENIED', 'transient', 'no permission', "let the streamer's user write there"],
      ['STORE_READ_ONLY', 'transient', 'it is mounted read-only', 'mount it read-write; look why it was not'],
      [
        'STORE_STALE',
        'transient',
        'the network file system lost its handle, or is not connected',
        'check the mount',
      ],
      ['STORE_IO', 'transient', 'input/output error', 'check the disks'],
      [
        'STORE_ROOT_MISSING',
        'transient',
        '`storage.root` does not exist. Scanflow never makes it, so that nothing lands under a mount point',
        'mount project storage, or create the folder',
      ],
      [
        'STORE_ROOT_EMPTY',
        'transient',
        'a root that was in use is empty: project storage is not mounted, or this is a new disk. Nothing is written there',
        'mount it; storing goes on by itself. If the empty root is right: `scanflow storage take ROOT`',
      ],
      [
        'STORE_ROOT_OLDER',
        'transient',
        'a root is older than the ledger: it came out of a backup, or an old copy is mounted. Nothing is written there',
        'mount the right one. If this one is right: `scanflow storage take ROOT`',
      ],
      [
        'STORE_ROOT_OTHER',
        'transient',
        'a root is another one, or belongs to another Scanflow that gives no sign of life. Nothing is written there',
        'correct `storage` or the mounts. If this root is right: `scanflow storage take ROOT`',
      ],
      [
        'STORE_ROOT_IN_USE',
        'transient',
        'a root belongs to another Scanflow that is at work; the message names both. Nothing is written there',
        'give one of the two another root, or stop the other one',
      ],
      [
        'STORE_FOLDER_GONE',
        'transient',
        'somebody removed the folder while it was written',
        'nothing; it is made anew, with all of its images',
      ],
      [
        'STORE_NAME_TOO_LONG',
        'transient',
        'the file system refuses a name for its length',
        'shorten `storage.root` or `storage.layout`',
      ],
      [
        'STORE_TOO_MANY_FILES',
        'transient',
        'too many open files',
        'raise the limit of the streamer, or of the machine',
      ],
      [
        'STORE_OUTSIDE_ROOT',
        'permanent',
        'a symbolic link leads out of `storage.root`',
        'move the folder back to where the link is and retry, or set `storage.root` to where it leads',
      ],
      [
        'STORE_FOLDER_TAKEN',
        'permanent',
        'the folders that the series may use belong to others, or hold an unreadable `series.json`',
        'look at them, and move them away',
      ],
      [
        'STORE_COLLISION',
        'permanent',
        "with `storage.collisions: fail`: another one has the name of an image or of a series' folder",
        'look which is right, move the other away and retry; or let `storage.layout` distinguish them',
      ],
      [
        'SERIES_NOT_MOVABLE',
        'permanent',
        'the series cannot be moved now; the message says why',
        'what the message says',
      ],
      [
        'MOVE_SOURCE_CHANGED',
        'permanent',
        'not moved: a stored image is missing or changed, and Orthanc does not have it either',
        'put the file back, then move the series again',
      ],
      [
        'MOVE_FOLDER_GONE',
        'permanent',
        'not moved: the folder or its `series.json` is gone',
        'put it back; or `scanflow series retry` while Orthanc has the series, then move it',
      ],
      [
        'STORE_NAME_TAKEN',
        'permanent',
        "something else lies under an image's name, or under `series.tar`",
        'move it away',
      ],
      [
        'STORE_FILE_MISSING',
        'permanent',
        'stored images are missing or have another size, and Orthanc no longer has them',
        'put the files back and retry the series, or send the images again from the scanner',
      ],
      [
        'STORE_FILES_VANISH',
        'transient',
        'files of the series vanish again and again while it is stored',
        'find out who moves or deletes them; storing goes on by itself',
      ],
      [
        'FORWARD_STORAGE_AWAY',
        'transient',
        'project storage went away while images were sent',
        'check its mount; sending goes on by itself',
      ],
      [
        'FORWARD_FILES_GONE',
        'transient',
        'files of the series, or its `series.json`, are missing or older than the ledger, so it cannot be sent',
        'nothing while Orthanc has the images: they are pulled again; else put the files back and retry',
      ],
      [
        'FORWARD_UNTAGGABLE',
        'permanent',
        'with `tag.apply: forwarded`: an image cannot get the tag while it is sent, or is deflated and larger than 64 MiB',
        'look whether the file was changed; `tag.apply: stored+forwarded` for large deflated images',
      ],
      [
        'FILE_CHANGED',
        'permanent',
        'a stored file has changed since (SHA-256); it is not sent',
        'find out who writes there; restore it from Orthanc',
      ],
      [
        'STORE_FILE_CHANGED',
        'permanent',
        'a stored file had changed when its archive was made',
        'find out who writes there; restore it from Orthanc',
      ],
      [
        'FILE_UNREADABLE',
        'transient, permanent',
        'a stored file cannot be read',
        'look at its permissions; put it back if it is gone',
      ],
    ],
  },
  {
    title: 'Verification',
    intro:
      'Findings of reading stored files again ([storage](storage.md#are-the-files-still-what-was-stored)). The series shows as `failed` until the files are there again, or somebody acknowledges it.',
    failures: [
      [
        'VERIFY_MISSING',
        'permanent',
        'stored files are missing',
        '`scanflow verify ID --repair`; if somebody moved them on purpose, `scanflow verify acknowledge ID --reason TEXT`',
      ],
      [
        'VERIFY_CHANGED',
        'permanent',
        'files are there with other bytes (others may be missing, too)',
        'look who changed them and check the disk; then as above: a changed file is kept beside',
      ],
      [
        'VERIFY_RECORD_GONE',
        'permanent',
        "the series' folder, or its `series.json`, is missing",
        'as for `VERIFY_MISSING`',
      ],
      [
        'VERIFY_RECORD_OLD',
        'permanent',
        '`series.json` names fewer images than were stored: storage was restored from an older backup',
        '`scanflow verify ID --repair`',
      ],
      [
        'VERIFY_UNREADABLE',
        'permanent',
        'files are there, but the system does not let the streamer read them',
        "let the streamer's user read them; check the disk (`dmesg`)",
      ],
      [
        'VERIFY_BUSY',
        'transient',
        'the series is being stored, moved or erased',
        'nothing; it is verified after that',
      ],
      [
        'VERIFY_STOPPED',
        'notice',
        'the person who requested the verification stopped it before this series was read',
        'request it again',
      ],
    ],
  },
  {
    title: 'The private tag',
    intro:
      'The image is stored as it came, `tagged: false` and the code in `series.json`: losing an image for the sake of a tag would be wrong. `scanflow tag` refuses with these.',
    failures: [
      [
        'TAG_NOT_PART10',
        'notice',
        'no DICOM file, or one that names no transfer syntax and whose data set shows none for certain',
        'look where it comes from',
      ],
      [
        'TAG_SYNTAX_UNKNOWN',
        'notice',
        'a transfer syntax whose layout is not known',
        'tell us; meanwhile it is kept untagged',
      ],
      ['TAG_TRUNCATED', 'notice', 'the file ends within an element', 'send it again from the scanner'],
      [
        'TAG_OUT_OF_ORDER',
        'notice',
        'its elements do not ascend, so there is no sorted place',
        'report it to the vendor of the sender',
      ],
      [
        'TAG_UNDECODABLE',
        'notice',
        "elements before the tag's place are unreadable",
        'report it to the vendor of the sender',
      ],
      [
        'TAG_NO_FREE_BLOCK',
        'notice',
        'all 240 blocks of the group are taken',
        'configure another `tag.group`',
      ],
      [
        'TAG_HEAD_TOO_LONG',
        'notice',
        "the tag's place lies behind 64 MiB of other elements",
        'configure a lower `tag.group`',
      ],
      [
        'TAG_INFLATE_FAILED',
        'notice',
        'a deflated data set breaks off or does not inflate',
        'send it again from the scanner',
      ],
    ],
  },
];
