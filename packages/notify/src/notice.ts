/** A notice as data, and its texts: plain, HTML, and the forms of chats. Pure. What people typed is data in each of them. */
import { escapeHtml } from '@scanflow/runtime/visible';

export type Role = 'it' | 'booker' | 'project';

/** `said`: something happened, and nothing of it can be resolved. */
export type NoticeState = 'new' | 'changed' | 'resolved' | 'said';

export interface Notice {
  /** The same at each attempt, so that who gets it twice drops the second. */
  readonly id: string;
  /** The same for all notices of one matter to one recipient. */
  readonly thread: string;
  readonly role: Role;
  /** Such as `quarantine` or `stored`. */
  readonly topic: string;
  readonly state: NoticeState;
  /** One line. */
  readonly heading: string;
  readonly paragraphs: readonly string[];
  readonly items: readonly string[];
  /** So many items more are not listed. */
  readonly more: number;
  /** Address of a page of the day board. */
  readonly link?: string | undefined;
  readonly facility: string;
  /** An instant. */
  readonly at: string;
}

const PREFIX: Readonly<Record<NoticeState, string>> = {
  new: '',
  changed: 'News: ',
  resolved: 'Resolved: ',
  said: '',
};
const LONGEST_LINE = 500;
const LONGEST_SUBJECT = 160;

/** One line without control characters and without marks that turn the direction of text. */
export function oneLine(text: string, most = LONGEST_LINE): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
  const characters = Array.from(line.isWellFormed() ? line : line.toWellFormed());
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`;
}

/** The subject of a mail, and the first line of a chat. */
export const subjectOf = ({ state, heading }: Pick<Notice, 'state' | 'heading'>): string =>
  oneLine(`${PREFIX[state]}${heading}`, LONGEST_SUBJECT);

const footOf = ({ facility }: Notice): string => oneLine(`Scanflow of ${facility} wrote this by itself.`);

const moreOf = ({ more }: Notice): string[] => (more > 0 ? [`and ${more} more`] : []);

/** Paragraphs are lists of lines: an example may have several. */
const linesOf = (paragraph: string): string[] => paragraph.split('\n').map((line) => oneLine(line));

export function textOf(notice: Notice): string {
  const { paragraphs, items, link } = notice;
  const list = [...items.map((item) => `- ${oneLine(item)}`), ...moreOf(notice)];
  const blocks = [
    subjectOf(notice),
    ...(list.length === 0 ? [] : [list.join('\n')]),
    ...paragraphs.map((paragraph) => linesOf(paragraph).join('\n')),
    ...(link === undefined ? [] : [link]),
    `-- \n${footOf(notice)}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

const html = (text: string): string => escapeHtml(oneLine(text));

/** Without pictures, styles and scripts: it loads nothing. */
export function htmlOf(notice: Notice): string {
  const { paragraphs, items, link } = notice;
  const list = [...items, ...moreOf(notice)].map((item) => `<li>${html(item)}</li>`).join('\n');
  const blocks = [
    `<p><strong>${html(subjectOf(notice))}</strong></p>`,
    ...(list === '' ? [] : [`<ul>\n${list}\n</ul>`]),
    ...paragraphs.map((paragraph) => `<p>${linesOf(paragraph).map(escapeHtml).join('<br>\n')}</p>`),
    ...(link === undefined ? [] : [`<p><a href="${escapeHtml(link)}">Show it on the day board</a></p>`]),
    `<p>${html(footOf(notice))}</p>`,
  ];
  return `<!doctype html>\n<html lang="en"><body>\n${blocks.join('\n')}\n</body></html>\n`;
}

export type ChatKind = 'slack' | 'teams' | 'matrix' | 'mattermost';

/** A mention such as @channel would call everybody: a zero-width space after the sign ends it. */
const unmentioned = (text: string): string => text.replaceAll('@', '@\u200b');

/** Signs of Markdown as themselves. */
const plainMarkdown = (text: string): string =>
  unmentioned(text).replaceAll(/[\\`*_{}[\]()#+\-.!|~<>&:]/g, (sign) => `\\${sign}`);

/** Slack takes these three as entities and nothing else (https://api.slack.com/reference/surfaces/formatting). */
const slackText = (text: string): string =>
  unmentioned(text)
    .replaceAll(/[&<>]/g, escapeHtml)
    .replaceAll(/[*_~`]/g, (sign) => `\u200b${sign}`);

interface Lines {
  readonly head: string;
  readonly body: readonly string[];
  readonly items: readonly string[];
}

const linesOfAll = (notice: Notice, shown: (text: string) => string): Lines => ({
  head: shown(subjectOf(notice)),
  body: notice.paragraphs.flatMap(linesOf).map(shown),
  items: [...notice.items.map((item) => oneLine(item)), ...moreOf(notice)].map(shown),
});

/** The body of a request to an incoming webhook of this chat. */
export function chatBody(kind: ChatKind, notice: Notice): unknown {
  const { link } = notice;
  switch (kind) {
    case 'slack': {
      const { head, items, body } = linesOfAll(notice, slackText);
      const more = link === undefined ? [] : [`<${link}|Day board>`];
      return { text: [`*${head}*`, ...items.map((item) => `• ${item}`), ...body, ...more].join('\n') };
    }
    case 'mattermost': {
      const { head, items, body } = linesOfAll(notice, plainMarkdown);
      const more = link === undefined ? [] : [`[Day board](${link})`];
      const list = items.map((item) => `* ${item}`).join('\n');
      return { text: [`**${head}**`, list, ...body, ...more].filter((part) => part !== '').join('\n\n') };
    }
    case 'matrix':
      // the generic webhook of matrix-hookshot
      return {
        text: textOf(notice),
        html: htmlOf(notice)
          .replace(/^[^]*<body>\n/, '')
          .replace(/<\/body>[^]*$/, ''),
      };
    case 'teams':
      return teamsBody(notice);
  }
}

/** A text block of Teams knows a part of Markdown, and no escapes: no link may come about. */
const teamsText = (text: string): string => unmentioned(text).replaceAll('](', ']\u200b(');

/** An Adaptive Card, as workflows of Teams take it. */
function teamsBody(notice: Notice): unknown {
  const { head, items, body } = linesOfAll(notice, teamsText);
  const block = (text: string, more: object = {}): object => ({
    type: 'TextBlock',
    text,
    wrap: true,
    ...more,
  });
  const { link } = notice;
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      block(head, { weight: 'Bolder' }),
      ...items.map((item) => block(`• ${item}`)),
      ...body.map((text) => block(text)),
    ],
    ...(link === undefined ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Day board', url: link }] }),
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}

/** What a program gets: the notice as it is, with its subject. */
export const webhookBody = (notice: Notice): unknown => ({
  version: 1,
  ...notice,
  subject: subjectOf(notice),
});
