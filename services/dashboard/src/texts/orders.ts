/** What the pages around orders say, in English: retry, skip, release, move, pause. */
export const LOCALE = 'en-GB';

/** Made once: making it takes far longer than using it. */
const numbers = new Intl.NumberFormat(LOCALE);

export const number = (count: number): string => numbers.format(count);

export const plural = (count: number, one: string, many: string): string =>
  `${number(count)} ${count === 1 ? one : many}`;

export const orders = {
  actions: {
    retry: 'Retry',
    retryTarget: (target: string): string => `Retry ${target}`,
    skip: (hook: string): string => `Skip ${hook}`,
    release: 'Release to a project',
    preview: 'Show where it goes',
    previewTitle: 'Release this series?',
    previewText: 'It will be stored here:',
    confirm: 'Release',
    back: 'Back',
    refusedTitle: 'Nothing was done',
    unknownTitle: 'It is not known whether this was done',
    away: 'The service does not answer. Look at the series again once it runs; where nothing changed, send the form anew.',
    said: {
      retry: 'The streamer tries it again next.',
      skip: 'The hook is skipped.',
      redo: 'The bids service converts the session again next.',
      release: 'Released. The streamer stores it next.',
      move: 'The streamer moves it now. Its path changes once every image is compared.',
      pause: 'Paused. A series that is being sent now is sent to its end.',
      resume: 'Resumed. What waits is sent now.',
      again: 'This form was sent before. Nothing is done a second time.',
      accept: 'Accepted. The removals happen at the next pass.',
      walkIn: 'Added. Scanners see it within seconds.',
      withdrawn: 'Withdrawn. It leaves the worklist within seconds.',
    },
    retryAllMost: (most: number): string =>
      `This form is about the first ${most}. Send it again for the others.`,
    projectLabel: 'Project',
    subjectLabel: 'Subject',
    sessionLabel: 'Session',
    likely: 'Likely bookings',
    noLikely: 'No booking fits. Type where it belongs:',
    orType: 'Or type where it belongs:',
    signs: {
      accession: 'its accession number',
      study: 'its study',
      subject: 'the images name the subject',
      project: 'the images name the project',
      time: 'scanned in its slot',
      day: 'same day',
      scanner: 'same scanner',
    },
  },
  move: {
    open: 'Move to another project',
    previewTitle: 'Move this series?',
    previewText: 'It will be stored here:',
    confirm: 'Move',
    from: 'It is stored here now:',
    nowhere: 'nowhere',
    fromHead: 'Now',
    toHead: 'Then',
    keep: 'Keep the old folder',
    send: 'Send anew, and run hooks again',
    removed:
      'The old folder goes once every image is compared. Files there that Scanflow did not write stay.',
    kept: 'The old folder stays.',
    notSent: 'Destinations keep what they have, under the old labels.',
    sentAnew: 'Destinations get it once more, and its hooks run again.',
    because: (reason: string): string => `Reason: ${reason}`,
  },
  many: {
    open: (count: number): string =>
      count === 1
        ? 'Do something with this series'
        : `Do something with all ${plural(count, 'series', 'series')}`,
    action: 'Do',
    names: {
      retry: 'Retry',
      skip: 'Give up a destination or a hook',
      release: 'Release from quarantine',
      move: 'Move to another project',
    },
    target: 'Only this target or hook',
    to: (label: string): string => `To ${label.toLowerCase()}`,
    look: 'Show what it would do',
    choose: 'Choose what to do.',
    needsTarget:
      'Name the destination or the hook to give up, like pacs or hook:nifti. Storage cannot be given up.',
    needsLabels: 'Give project, subject and session.',
    needsReason: 'Give a reason: it stays with the series.',
    titles: {
      retry: (count: number, target = ''): string =>
        `Retry ${target} ${plural(count, 'series', 'series')}?`.replace('  ', ' '),
      skip: (count: number, target = ''): string =>
        `Give up ${target} for ${plural(count, 'series', 'series')}?`,
      release: (count: number): string => `Release ${plural(count, 'series', 'series')}?`,
      move: (count: number): string => `Move ${plural(count, 'series', 'series')}?`,
    },
    texts: {
      retry: (): string => 'Each is tried again at once, whatever its next try was.',
      skip: (target = ''): string =>
        target.startsWith('hook:')
          ? 'Nothing waits for this hook any more. Its work is not done.'
          : `What these series lack at ${target} is not sent, and nothing waits for it. Images that are due for deletion leave Orthanc. While the configuration has ${target}, a retry sends them after all.`,
      release: (): string => 'Each will be stored here. Series that are not in quarantine are refused.',
      move: (): string => 'Each will be stored anew, compared, and leave its folder.',
    },
    confirm: { retry: 'Retry all', skip: 'Give up for all', release: 'Release all', move: 'Move all' },
    doneTitle: { retry: 'Tried again', skip: 'Given up', release: 'Released', move: 'Moving' },
    done: (done: number, count: number): string =>
      `Done for ${done} of ${plural(count, 'series', 'series')}.${done < count ? ' The streamer refused the others, or did not answer.' : ''}`,
    paths: 'Paths',
    which: 'Which series',
    without: (count: number): string =>
      count === 1
        ? '1 series has no path and is left alone.'
        : `${plural(count, 'series', 'series')} have no path and are left alone.`,
    unreadable: 'The form does not name its series. Open the page of the series again.',
  },
  pauses: {
    title: (name: string): string => `${name} is paused`,
    paused: (name: string, time: string, by: string, reason: string): string =>
      `${name} is paused since ${time} by ${by}: ${reason}.`.replace(/\.\.$/, '.'),
    forMembers: (name: string, time: string): string =>
      `Sending to ${name} is paused since ${time}. Images are stored, and are sent later.`,
    waiting: (count: number): string => `${plural(count, 'series waits', 'series wait')}.`,
    resume: 'Resume',
    resumeName: (name: string): string => `Resume ${name}`,
    open: 'Pause a destination',
    pause: 'Pause',
    reason: 'Reason',
    help: 'Nothing more is sent there until somebody resumes it. A series that is being sent now is sent to its end.',
  },
} as const;
