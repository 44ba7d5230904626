import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody, htmlOf, oneLine, subjectOf, textOf, webhookBody, type Notice } from './notice.ts';

const notice = (over: Partial<Notice> = {}): Notice => ({
  ...{
    id: 'n1',
    thread: 't1',
    role: 'it',
    topic: 'quarantine',
    state: 'new',
    heading: '2 series in quarantine',
  },
  ...{ paragraphs: ['Correct the booking.'], items: ['ROUTE_NO_MATCH: series abc'], more: 3 },
  ...{
    facility: 'Example Imaging Centre',
    at: '2026-11-30T08:00:00Z',
    link: 'https://board.example.org/series',
  },
  ...over,
});

const HOSTILE =
  'sub-01\r\nBcc: all@example.org\r\n\r\n<img src=x onerror="alert(1)"> @channel <!here> [x](http://evil) \u202egpj';

test('notice: plain text has heading, items, the number of the rest, advice and link', () => {
  assert.equal(
    textOf(notice()),
    [
      '2 series in quarantine\n',
      '- ROUTE_NO_MATCH: series abc\nand 3 more\n',
      'Correct the booking.\n',
      'https://board.example.org/series\n',
      '-- \nScanflow of Example Imaging Centre wrote this by itself.\n',
    ].join('\n'),
  );
});

test('notice: a subject is one short line, and says news and resolved', () => {
  assert.equal(subjectOf(notice({ state: 'changed' })), 'News: 2 series in quarantine');
  assert.equal(subjectOf(notice({ state: 'resolved' })), 'Resolved: 2 series in quarantine');
  assert.equal(subjectOf(notice({ heading: HOSTILE })).includes('\n'), false);
  assert.equal(Array.from(subjectOf(notice({ heading: '𝒳'.repeat(500) }))).length, 160);
  assert.equal(oneLine('a\ud800b\u2028c\u0000d'), 'a\ufffdb c d');
});

test('notice: what people typed stays text in HTML', () => {
  const page = htmlOf(
    notice({ heading: HOSTILE, items: [HOSTILE], paragraphs: [HOSTILE], facility: HOSTILE }),
  );
  assert.equal(/<img/i.test(page), false);
  assert.equal(page.includes('\u202e'), false);
  assert.ok(page.includes('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'));
  assert.deepEqual([...new Set(page.match(/<\/?[a-z!]+/gi))].sort(), [
    ...['<!doctype', '</a', '</body', '</html', '</li', '</p', '</strong', '</ul'],
    ...['<a', '<body', '<br', '<html', '<li', '<p', '<strong', '<ul'],
  ]);
});

test('notice: chats get their own forms, and nobody is called by a title', () => {
  const hostile = notice({ heading: HOSTILE, items: [HOSTILE], paragraphs: ['one\ntwo'] });
  const all = (['slack', 'teams', 'matrix', 'mattermost'] as const).map(
    (kind) => [kind, chatBody(kind, hostile)] as const,
  );
  const texts = new Map<string, string>(all.map(([kind, body]) => [kind, JSON.stringify(body)]));
  const has = (kind: string, part: string): boolean => texts.get(kind)?.includes(part) === true;
  for (const kind of ['slack', 'teams', 'mattermost']) assert.equal(has(kind, '@channel'), false, kind);
  assert.equal(has('slack', '<!here>'), false);
  assert.equal(has('slack', '<img'), false);
  for (const kind of ['teams', 'mattermost']) assert.equal(has(kind, '[x](http'), false, kind);
  assert.equal(has('matrix', '<img src=x onerror=\\"alert(1)\\">'), true, 'as text alone');
  const { html } = chatBody('matrix', hostile) as { html: string };
  assert.equal(/<img|<body|<html/i.test(html), false);
  assert.deepEqual(chatBody('slack', notice({ items: ['a & b'], more: 0 })), {
    text: '*2 series in quarantine*\n• a &amp; b\nCorrect the booking.\n<https://board.example.org/series|Day board>',
  });
  assert.deepEqual(chatBody('mattermost', notice({ items: ['a_b'], more: 0, link: undefined })), {
    text: '**2 series in quarantine**\n\n* a\\_b\n\nCorrect the booking\\.',
  });
  const teams = chatBody('teams', notice()) as {
    attachments: { contentType: string; content: { type: string; body: unknown[] } }[];
  };
  const [card] = teams.attachments;
  assert.deepEqual([card?.content.type, card?.content.body.length], ['AdaptiveCard', 4]);
});

test('notice: a program gets all of it as data', () => {
  const { version, subject, items, state } = webhookBody(notice()) as Record<string, unknown>;
  assert.deepEqual(
    [version, subject, items, state],
    [1, '2 series in quarantine', ['ROUTE_NO_MATCH: series abc'], 'new'],
  );
});
