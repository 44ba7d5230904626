/** What the page Health says, in English. */
import { plural } from './orders.ts';

export const healthTexts = {
  title: 'Health',
  sub: 'What each part of Scanflow says of itself. A section is looked at anew after 10 seconds, or when you press its button.',
  looked: (time: string): string => `looked at ${time}`,
  again: 'Check now',
  againAt: (section: string): string => `Check now: ${section}`,
  tried: 'Tried',
  triesNothing: 'cannot try it out: it is of another version than the board',
  words: { good: 'good', warn: 'look at this', bad: 'wrong', unknown: 'not known now' },
  sections: {
    services: 'Services',
    calendars: 'Calendars',
    worklist: 'Worklist',
    senders: 'Senders',
    orthanc: 'Orthanc',
    ledger: 'Ledger',
    storage: 'Project storage',
    disks: 'Disks',
    series: 'Series',
    destinations: 'Destinations',
    certificates: 'Certificates',
  },
  versions: (list: string): string => `the services differ: ${list}`,
  versionsTodo: 'Start them with the same version: docker compose up -d --build.',
  orthancGood: (version: string): string => `answers, version ${version}`,
  orthancAway: (ago: string): string => `does not answer the streamer, first ${ago}`,
  ledger: 'Ledger',
  ledgerGood: 'in order',
  ledgerTodo: 'docs/failures.md has the code; docs/operations.md says how to go on.',
  worklist: 'Worklist',
  items: (count: number): string => `${plural(count, 'item', 'items')}, none of them broken`,
  problemTodo: 'No scanner sees it. Ask whoever wrote the file; cal2wl writes its own anew.',
  senders: 'Senders',
  sendersGood: (count: number): string =>
    count === 0 ? 'nobody sent images yet' : `${plural(count, 'AE title', 'AE titles')}, all of them known`,
  stranger: 'sends images that go to no project, since no scanner has this AE title',
  strangerTodo: 'If it is a scanner, add the title to its sends in the configuration.',
  refused: {
    by: { receiver: 'The receiver', worklist: 'The worklist' },
    nobody: 'refused nobody since its start',
    noTitle: 'no AE title',
    caller: (
      by: string,
      {
        calledAet,
        address,
        count,
        last,
      }: {
        readonly calledAet: string;
        readonly address: string;
        readonly count: number;
        readonly last: string;
      },
    ): string =>
      `${by} refused it: from ${address}, called ${calledAet}, ${plural(count, 'time', 'times')}, last ${last}`,
    why: (why: string): string => `Reason: ${why}. `,
    todo: {
      receiver:
        'If it is a scanner of yours, enter its AE title under scanners.NAME.sends, or another sender under arrivals.from (docs/install.md, Who may send).',
      worklist:
        'If it is a scanner of yours, correct the AE titles at its console, or enter it under scanners or worklist.allow (docs/not-on-the-list.md).',
    },
    more: (count: number): string => `refused ${plural(count, 'more caller', 'more callers')}, longer ago`,
  },
  series: 'Series',
  seriesGood: 'none waits for a person',
  notTold: 'does not say',
  room: (free: string, total: string): string => `${free} of ${total} free`,
  below: (text: string, least: string): string =>
    `${text}, and storing waits below ${least} (storage.freeSpace)`,
  roomTodo: 'Free space soon. Storing waits where it runs out, and goes on by itself.',
  diskTodo: 'Look whether it is mounted, and whether the service may read it.',
  certificates: 'Certificates',
  noCertificates: 'the configuration names none',
  certificateTodo: 'Have it renewed, and put the new one in its place: it counts without a restart.',
  ends: (subject: string, days: number): string =>
    days < 0 ? `${subject}: ran out ${-days} days ago` : `${subject}: runs out in ${days} days`,
  ok: 'answers',
  failing: 'reports a failure',
  silent: 'does not answer',
  silentTodo: 'Start it: docker compose up -d. docs/operations.md has the rest.',
  storageGood: 'is there and is ours',
  destinationGood: 'nothing waits, nothing failed',
  destination: (pending: number, failed: number): string => `${pending} pending, ${failed} failed`,
  gone: 'The configuration no longer has this destination. Look at the series, and give it up for all; or enter it again.',
  hook: (pending: number, failed: number, ago: string | undefined): string =>
    `${plural(failed, 'run', 'runs')} failed, ${pending} pending${ago === undefined ? '' : `; the oldest began ${ago}`}`,
  hookTodo:
    'scanflow doctor hooks says why. Mend the hook, then retry it or give it up on the page of the session.',
  bidsTodo:
    'scanflow bids status names the sessions and their reasons. Check that the bids service runs. Then run scanflow bids redo SESSION.',
  look: 'Look',
  version: 'Version',
  unanswered: 'It takes no answers, so its events do not say what became of them:',
  accept: 'Remove what it lost',
  held: (count: number): string =>
    `${plural(count, 'booking', 'bookings')} vanished from it. They stay until you accept that.`,
  audit: 'What people did',
  auditColumns: {
    at: 'When',
    who: 'Who',
    what: 'What',
    subject: 'On what',
    address: 'From',
    result: 'Result',
  },
  noAudit: 'Nobody did anything yet.',
} as const;
