/** Failures on the way of an image: at Orthanc, at storage and at destinations. */
import type { Failure } from '../failure.ts';

/** `notice`: nothing failed, but somebody should know. */
type Kind = Failure['kind'] | 'notice';

/** What docs/failures.md tells about failures of one kind. Markdown. */
export interface Section {
  readonly title: string;
  readonly intro?: string;
  /**
   * Codes (with a space between those that share a row), kinds, the sentence that says what happened, and the remedy. One
   * failure is one line, however long, so that a search for its code shows all of it.
   */
  readonly failures: readonly `${string} | ${Kind | `${Kind}, ${Kind}`} | ${string} | ${string}`[];
  readonly outro?: string;
}

export const IMAGES: readonly Section[] = [
  {
    title: 'Orthanc',
    failures: [
      'ORTHANC_UNREACHABLE | transient | it does not answer, or broke off | see that it runs; check `orthanc.url`',
      'ORTHANC_STALLED | transient | the connection is open and silent for 2 minutes | look at its load and its disks',
      "ORTHANC_DENIED | transient, permanent | it refuses the service's user; at start, the streamer and the receiver then end | correct `orthanc.username` and `orthanc.passwordFile`",
      "ORTHANC_ERROR | transient | it answered with a status such as 500 | look into Orthanc's log",
      'ORTHANC_UNCLEAR | transient | its answer is not that of an Orthanc | check `orthanc.url`; a proxy or another program may answer there',
      "ORTHANC_TRUNCATED | transient | it promised more bytes of an image than it sent. After four attempts the streamer gives the image up (permanent), and the others go on | check Orthanc's disk; send the image again from the scanner: storing then goes on by itself",
      "ORTHANC_CORRUPT | transient | the bytes are not those that it received (MD5). The streamer gives up after four attempts, as above | check Orthanc's disk; send the image again from the scanner",
      'ORTHANC_GONE | permanent | it no longer has the requested thing; for images you see `SOURCE_GONE` | see `SOURCE_GONE`',
      'SOURCE_GONE | permanent | the series, or images of it, were deleted from Orthanc before they were stored | send them again from the scanner; find out who deletes in Orthanc',
      'ORTHANC_RECYCLES | notice | Orthanc deletes its oldest images by itself, also those that are not stored yet | set `MaximumStorageSize` and `MaximumPatientCount` to 0, or `MaximumStorageMode` to `Reject`',
      'ORTHANC_WIPED | notice | its change numbers began anew: somebody emptied the database | nothing, if somebody meant to; the streamer looks at everything in it again',
      'ORTHANC_REPLACED | notice | it is another database than before | as above; if it comes again and again, two Orthancs share one address, and their identifiers do not name one database: see scale.md, Two Orthancs',
      'ORTHANC_ONE_AWAY | notice | one of the addresses in `orthanc.url` does not answer; another one does the work | start that Orthanc; check `orthanc.url`',
      'ORTHANC_APART | notice | the addresses in `orthanc.url` have different databases | give each Orthanc of one database a `DatabaseServerIdentifier` `DATABASE@NAME`; remove addresses of other databases (scale.md, Two Orthancs)',
    ],
  },
  {
    title: 'Which project a series belongs to',
    intro:
      'A series with one of these is `quarantined`: it is not stored or sent yet, and all of it is in Orthanc.',
    failures: [
      'ERASED | permanent | images of an erased series or subject came again. They wait in Orthanc, and nothing stores or sends them. Or a person tried to give a series the labels of such a subject | delete them from Orthanc, and where they came from ([privacy.md](privacy.md))',
      'ROUTE_NO_MATCH | notice | no booking record, and the patterns do not match | correct the booking, or `arrivals.patterns`; the streamer looks again by itself',
      'ROUTE_INCOMPLETE | notice | no booking record, and the patterns give only some of the labels | as above',
      'ROUTE_LABEL | notice | no booking record, and a label that the patterns find breaks `bookings.labels`, or is a name of our own files | release it with the right labels',
      'ROUTE_PATTERN_SLOW | notice | no booking record, and a pattern takes longer than its time limit on a value of the images | rewrite the pattern as `scanflow check` shows',
      'ROUTE_CONTRADICTION | notice | Patient ID, name or Study UID reads as another booking, subject or project than the accession number; or two patterns give two values for one label | `scanflow series show ID` names both values; find out who was scanned, then `scanflow series release`, or correct the booking',
      'ROUTE_DOUBT | notice | a weak sign stands against the booking, and `arrivals.doubts` says `quarantine` for its kind | `scanflow series show ID` names it; release the series, or set the kind to `show`',
      'ROUTE_CORRECTED | permanent | images of a stored series were sent again with other identifiers. By these it belongs elsewhere, or nobody knows where. It stays where it is, and both are stored ([storage](storage.md#sent-again-after-a-correction)) | find out which is right; `scanflow series move ID` with the right labels, or `scanflow series release ID` with those that it has',
      'ROUTE_CORRECTED_IN_PART | notice | some images of a series that is not stored yet were sent again with other identifiers. The other images disagree | send the rest again, too; or release the series with the right labels',
      'ROUTE_UNKNOWN_SENDER | notice | the AE title that sent it is not one that `arrivals.from` admits | add it to `sends` of its scanner and restart the streamer; or release the series, or delete it from Orthanc',
      'PERFORMED_UNREADABLE | notice | the record of an exam in `performed/` is unreadable; it counts as absent | look at its permissions',
      'BOOKING_UNREADABLE | notice | a file of `bookings/` is unreadable; it counts as absent | look at its permissions; cal2wl writes it anew when the booking changes',
    ],
  },
  {
    title: 'Cleaning up Orthanc',
    intro: 'With one of these, the streamer deletes nothing of the series from Orthanc.',
    failures: [
      'CLEANUP_NO_RECORD | permanent | the folder or its `series.json` is no longer in project storage | put it back, or retry the series',
      'CLEANUP_UNKNOWN_IMAGES | permanent | Orthanc has images of the series that `series.json` does not have | retry the series: it stores what is missing',
      'CLEANUP_WAITS | notice | something of the series is not done yet: a leg, a hook, more images | `scanflow series show ID` says what; nothing needs doing while it is under way',
      'CLEANUP_FILE_CHANGED | permanent | a stored image is missing or changed | compare the folder with its manifest (`sha256sum -c`); a retry pulls what is missing',
    ],
  },
  {
    title: 'Project storage',
    failures: [
      'STORE_DISK_FULL | transient | no space | free some; storing goes on by itself',
      'STORE_SPACE_FLOOR | transient | less would stay free than `storage.freeSpace` says; nothing failed, it waits | free some, or lower it; storing goes on by itself',
      'STORE_QUOTA | transient | the quota is used up | raise it',
      'STORE_DENIED | transient, permanent | no permission; at start, the streamer then ends | on the host: `chown 10001:10001 FOLDER`; a folder that Docker has just made has a mistyped name',
      'STORE_READ_ONLY | transient, permanent | it is mounted read-only; at start, the streamer then ends | mount it read-write; look why it was not',
      'STORE_STALE | transient | the network file system lost its handle, or is not connected | check the mount',
      'STORE_IO | transient | input/output error | check the disks',
      'STORE_ROOT_MISSING | transient | `storage.root` does not exist. Scanflow never makes it, so that nothing lands under a mount point | mount project storage, or create the folder',
      'STORE_ROOT_EMPTY | transient | a root that was in use is empty: project storage is not mounted, or this is a new disk. Nothing is written there | mount it; storing goes on by itself. If the empty root is right: `scanflow storage take ROOT`',
      'STORE_ROOT_OLDER | transient | a root is older than the ledger: it came out of a backup, or an old copy is mounted. Nothing is written there | mount the right one. If this one is right: `scanflow storage take ROOT`',
      'STORE_ROOT_OTHER | transient | a root is another one, or belongs to another Scanflow that gives no sign of life. Nothing is written there | correct `storage` or the mounts. If this root is right: `scanflow storage take ROOT`',
      'STORE_ROOT_IN_USE | transient | a root belongs to another Scanflow that is at work; the message names both. Nothing is written there | give one of the two another root, or stop the other one',
      'STORE_FOLDER_GONE | transient | somebody removed the folder while it was written | nothing; it is made anew, with all of its images',
      'STORE_NAME_TOO_LONG | transient | the file system refuses a name for its length | shorten `storage.root` or `storage.layout`',
      'STORE_TOO_MANY_FILES | transient | too many open files | raise the limit of the streamer, or of the machine',
      'STORE_OUTSIDE_ROOT | permanent | a symbolic link leads out of `storage.root` | move the folder back to where the link is and retry, or set `storage.root` to where it leads',
      'STORE_FOLDER_TAKEN | permanent | the folders that the series may use belong to others, or hold an unreadable `series.json` | look at them, and move them away',
      "STORE_COLLISION | permanent | with `storage.collisions: fail`: another one has the name of an image or of a series' folder | look which is right, move the other away and retry; or let `storage.layout` distinguish them",
      'SERIES_NOT_MOVABLE | permanent | the series cannot be moved now; the message says why | what the message says',
      'MOVE_SOURCE_CHANGED | permanent | not moved: a stored image is missing or changed, and Orthanc does not have it either | put the file back, then move the series again',
      'MOVE_FOLDER_GONE | permanent | not moved: the folder or its `series.json` is gone | put it back; or `scanflow series retry` while Orthanc has the series, then move it',
      "STORE_NAME_TAKEN | permanent | something else lies under an image's name, or under `series.tar` | move it away",
      'STORE_FILE_MISSING | permanent | stored images are missing or have another size, and Orthanc no longer has them | put the files back and retry the series, or send the images again from the scanner',
      'STORE_FILES_VANISH | transient | files of the series vanish again and again while it is stored | find out who moves or deletes them; storing goes on by itself',
      'FORWARD_STORAGE_AWAY | transient | project storage went away while images were sent | check its mount; sending goes on by itself',
      'FORWARD_FILES_GONE | transient | files of the series, or its `series.json`, are missing or older than the ledger, so it cannot be sent | nothing while Orthanc has the images: they are pulled again; else put the files back and retry',
      'FORWARD_UNTAGGABLE | permanent | with `tag.apply: forwarded`: an image cannot get the tag while it is sent, or is deflated and larger than 64 MiB | look whether the file was changed; `tag.apply: stored+forwarded` for large deflated images',
      'FILE_CHANGED | permanent | a stored file has changed since (SHA-256); it is not sent | find out who writes there; restore it from Orthanc',
      'STORE_FILE_CHANGED | permanent | a stored file had changed when its archive was made | find out who writes there; restore it from Orthanc',
      'FILE_UNREADABLE | transient, permanent | a stored file cannot be read | look at its permissions; put it back if it is gone',
    ],
  },
  {
    title: 'Verification',
    intro:
      'Findings of reading stored files again ([storage](storage.md#are-the-files-still-what-was-stored)). The series shows as `failed` until the files are there again, or somebody acknowledges it.',
    failures: [
      'VERIFY_MISSING | permanent | stored files are missing | `scanflow verify ID --repair`; if somebody moved them on purpose, `scanflow verify acknowledge ID --reason TEXT`',
      'VERIFY_CHANGED | permanent | files are there with other bytes (others may be missing, too) | look who changed them and check the disk; then as above: a changed file is kept beside',
      "VERIFY_RECORD_GONE | permanent | the series' folder, or its `series.json`, is missing | as for `VERIFY_MISSING`",
      'VERIFY_RECORD_OLD | permanent | `series.json` names fewer images than were stored: storage was restored from an older backup | `scanflow verify ID --repair`',
      "VERIFY_UNREADABLE | permanent | files are there, but the system does not let the streamer read them | let the streamer's user read them; check the disk (`dmesg`)",
      'VERIFY_BUSY | transient | the series is being stored, moved or erased | nothing; it is verified after that',
      'VERIFY_STOPPED | notice | the person who requested the verification stopped it before this series was read | request it again',
    ],
  },
  {
    title: 'The private tag',
    intro:
      'The image is stored as it came, with `tagged: false` and the code in `series.json`. Losing an image for the sake of a tag would be wrong. `scanflow tag` refuses with these.',
    failures: [
      'TAG_NOT_PART10 | notice | no DICOM file, or one that names no transfer syntax and whose data set shows none for certain | look where it comes from',
      'TAG_SYNTAX_UNKNOWN | notice | a transfer syntax whose layout is not known | tell us; meanwhile it is kept untagged',
      'TAG_TRUNCATED | notice | the file ends within an element | send it again from the scanner',
      'TAG_OUT_OF_ORDER | notice | its elements do not ascend, so there is no sorted place | report it to the vendor of the sender',
      "TAG_UNDECODABLE | notice | elements before the tag's place are unreadable | report it to the vendor of the sender",
      'TAG_NO_FREE_BLOCK | notice | all 240 blocks of the group are taken | configure another `tag.group`',
      "TAG_HEAD_TOO_LONG | notice | the tag's place lies behind 64 MiB of other elements | configure a lower `tag.group`",
      'TAG_INFLATE_FAILED | notice | a deflated data set breaks off or does not inflate | send it again from the scanner',
    ],
  },
  {
    title: 'Destinations',
    failures: [
      'DEST_UNREACHABLE | transient | no connection | see that it runs; its address, its port, the firewall',
      'DEST_CONNECT_TIMEOUT | transient | no answer to the connection | as above; a firewall that drops silently looks like this',
      'DEST_NO_ASSOCIATION | transient | it took the connection and did not answer the association, as an HTTP, SSH or TLS port does | give its DICOM port; call a TLS port with TLS',
      'DEST_REJECTED | transient, permanent | it rejected the association; permanent where it does not know an AE title | check AE titles on both sides',
      'DEST_LOST | transient | the association ended while images were sent | look into its log; sending goes on by itself',
      'DEST_NOT_CONFIGURED | notice | the series waits for a destination that is no longer in the configuration | put it back under its name, or give it up: `scanflow series skip --target NAME`',
      'DEST_SKIPPED | notice | a person gave the destination up for this series with `scanflow series skip`; images that it lacks are not sent | nothing; `scanflow series retry ID --target NAME` sends them after all',
      "DEST_NOT_WANTED | notice | the destination's rule leaves the series out; the key stands in the message | nothing, or change `when` ([destinations](destinations.md))",
      'DEST_UNDECIDED | notice | the rule needs a project, and the series has none | give it one by a booking or a pattern, and store it anew',
      'DEST_CAME_LATER | notice | the series was stored before the destination, or its rule, let it go there | `scanflow series retry ID --target NAME`',
      'NOT_NEGOTIATED | permanent | it does not take this SOP class in this transfer syntax, nor uncompressed; the other images are sent | make it accept them, or leave them out by `when`; see `transcode` ([sending](sending.md#transfer-syntaxes))',
      'TRANSCODE_FAILED | permanent | it does not take the transfer syntax, and Orthanc cannot convert the image | for JPEG 2000 give Orthanc its plugin for GDCM (Debian: `orthanc-gdcm`), then `scanflow series retry ID`; else make it accept the transfer syntax',
      'TRANSCODE_GONE | permanent | it does not take the transfer syntax, and Orthanc no longer has the image to convert it | make it accept the transfer syntax; or send a converted image by hand (`scanflow send`)',
      'TRANSCODE_WRONG | permanent | Orthanc’s converted copy is another image, or in another transfer syntax | tell us, with the versions of Orthanc and its plugins',
      'TRANSCODE_NO_ROOM | transient | the data folder cannot hold a converted copy while it is sent | look at its space and permissions',
      'STOW_DENIED | transient | a DICOMweb server refuses our user or token (401, 403) | correct `username` and `passwordFile`, or `tokenFile`: they are read anew each time',
      'STOW_SECRET | transient | the file of the password or token is unreadable or empty | put it there; see its permissions',
      'STOW_NOT_THERE | transient | it takes no images at that address (404, 405, a redirection) | correct `url`: `/studies` is put behind it',
      'STOW_BUSY | transient | it answered 503, 429 or the like; the streamer keeps to `Retry-After` | nothing; look at its load if it stays',
      'STOW_ERROR | transient | it failed over an image (500) | look into its log',
      'STOW_REFUSED | permanent | it refused an image without a reason (400, 409 …) | look into its log; `scanflow series retry ID` once that is mended',
      'STOW_TOO_LARGE | permanent | it takes no image of that size (413) | raise the limit there, also of a proxy before it',
      'STOW_NOT_SUPPORTED | permanent | it does not take such DICOM files (415) | make it accept their transfer syntax and SOP class',
      'STOW_UNMENTIONED | ambiguous | its answer says nothing about an image, so nobody knows whether it has it | look into its log; the image is sent again',
      'STOW_UNCLEAR | ambiguous | its answer is not that of a DICOMweb server | check `url`; a login page or a proxy may answer there',
      'STORE_REFUSED | transient, permanent | it answered an image with a failure status, which stands in the message | A7xx (out of resources): free space there. A9xx, Cxxx, 0122 …: look into its log',
      'NO_RESPONSE | ambiguous | sent whole, never answered | nothing; the image is sent again, after the others',
      'RESPONSE_MISMATCH | ambiguous | it answered for another image | report it to its vendor; the image is sent again, after the others',
      'FORWARD_UNANSWERED | transient | images were neither sent nor refused | nothing; they are sent again',
      'FORWARD_GIVEN_UP | permanent | all attempts failed for as long as `retry.giveUp` says; the message has the last failure | put that right, then `scanflow series retry ID`',
      'NOT_DICOM | permanent | a file to send is no DICOM file; `scanflow send` leaves such files out | look at it',
      'DICOM_SYNTAX_UNTOLD | permanent | a file to send does not say how its data set, or its compressed pixels, are encoded | write it with file meta information, and send it again',
      'DICOM_BROKEN | permanent | a file to send was cut, is empty, or cannot be read: its pixel data do not end with it | look at it; export it again',
      'NO_FILE | permanent | no file to send has that name: a mistake in Scanflow | tell us',
      'AET_TOO_LONG | permanent | an AE title has more than 16 characters | correct the configuration',
      'CANCELLED | transient | the streamer was stopped meanwhile | nothing; it goes on when it is started',
      'SEND_HELD | transient | its `schedule` closed, or the streamer stops, before this image was sent | nothing; it is sent when it may be',
      'ECHO_FAILED | transient | it answered C-ECHO with a failure | look into its log',
      'FIND_FAILED | transient, permanent | it answered C-FIND with a failure | look into its log',
      'BAD_RESPONSE | permanent | a match of C-FIND cannot be decoded | report it to its vendor',
      "INTERNAL | permanent | a mistake in Scanflow's networking | tell us, with the log",
    ],
  },
  {
    title: 'Storage commitment',
    intro: '[commitment.md](commitment.md) explains it.',
    failures: [
      "COMMITMENT_EXPIRED | permanent | the destination took the requests, and reported on none of them in time | see that it can reach the port of `commitments`, and knows Scanflow's AE title and address; then retry. A late report mends it by itself",
      'COMMITMENT_REFUSED | permanent | it does not commit itself to an image, however often it was sent; its reason stands in the message | look into its log; then retry',
      'COMMITMENT_NOT_TAKEN | transient, permanent | it refuses the request; its status stands in the message | look into its log, or take `commitment` out of this destination; then retry',
      'COMMITMENT_NOT_OFFERED | permanent | it does not offer storage commitment | switch it on there, and retry; or take `commitment` out of this destination, and give it up: `scanflow series skip --target commitment:NAME`',
      "COMMITMENT_NO_RECORD | transient | the series' `series.json` cannot be read, so that nobody knows which images to request it for | put it back; it goes on by itself",
      'COMMITMENT_UNKNOWN | notice | a destination reported on a request that nobody made, or that is long forgotten | nothing; look at that node if it happens often',
      "ROLE_REFUSED | permanent | a peer does not take Scanflow for an SCP: only Scanflow's own tests request that | report it",
    ],
  },
];
