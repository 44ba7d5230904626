/** What servers of the world answer, byte for byte over a socket, and what becomes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  answer,
  calendar,
  chunks,
  encoded,
  fetchFrom,
  outcomeOf,
  packed,
  refused,
  serve,
  size,
  to,
  type Reply,
  type Request,
} from '@scanflow/testkit/odd-servers';

const CASES: readonly (readonly [string, string, Reply])[] = [
  // Content-Encoding that is no coding, is none of what came, or is not told
  ...['UTF-8', 'utf8', 'none', 'identity', '', '8bit', 'binary', 'text/calendar', 'iso-8859-1'].map(
    (name) => [`Content-Encoding “${name}”`, 'calendar', encoded(name)] as const,
  ),
  ['identity, gzip', 'calendar', encoded('identity, gzip', packed)],
  ['gzip;q=1.0', 'calendar', encoded('gzip;q=1.0', packed)],
  ['GZIP in quotes', 'calendar', encoded('"GZIP"', packed)],
  [
    'Content-Encoding twice',
    'calendar',
    answer(['Content-Encoding: UTF-8', 'Content-Encoding: gzip'], packed),
  ],
  ...['gzip', 'br', 'deflate', 'exi', 'gzip, gzip'].map(
    (name) => [`plain text that is called ${name}`, 'calendar', encoded(name)] as const,
  ),
  ...['br', 'deflate', 'none', 'gzip, gzip'].map(
    (name) => [`gzip that is called ${name}`, 'calendar', encoded(name, packed)] as const,
  ),
  ['gzip that nobody tells', 'calendar', answer([], packed)],
  ['gzip twice, told once', 'calendar', encoded('gzip', gzipSync(packed))],
  ['gzip twice, told twice', 'calendar', encoded('gzip, gzip', gzipSync(packed))],
  ['gzip three times', 'FETCH_ENCODING', encoded('gzip', gzipSync(gzipSync(packed)))],
  [
    'gzip in parts',
    'calendar',
    encoded('gzip', Buffer.concat([gzipSync(calendar.subarray(0, 30)), gzipSync(calendar.subarray(30))])),
  ],
  ['deflate, as it should be', 'calendar', encoded('deflate', deflateSync(calendar))],
  ['deflate, bare', 'calendar', encoded('deflate', deflateRawSync(calendar))],
  ['br', 'calendar', encoded('br', brotliCompressSync(calendar))],
  ['zstd, which was not asked for', 'calendar', encoded('zstd', zstdCompressSync(calendar))],
  ['compress', 'FETCH_ENCODING', encoded('compress', Buffer.from([0x1f, 0x9d, 0x90, 0x42, 0x8a]))],
  ['gzip that is cut', 'FETCH_CUT', encoded('gzip', packed.subarray(0, -12))],
  [
    'gzip that is damaged',
    'FETCH_ENCODING',
    encoded('gzip', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8, 1)])),
  ],
  ['a bomb that nobody tells', 'FETCH_TOO_LARGE', answer([], gzipSync(Buffer.alloc(5_000_000)))],
  [
    'a bomb within, told once',
    'FETCH_TOO_LARGE',
    encoded('gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))),
  ],
  // Transfer-Encoding and lengths
  ['Chunked with a capital', 'calendar', chunks(['Transfer-Encoding: Chunked'])],
  ['identity, chunked', 'calendar', chunks(['Transfer-Encoding: identity, chunked'])],
  [
    'chunks with trailers',
    'calendar',
    chunks(['Transfer-Encoding: chunked', 'Trailer: X-Sum'], calendar, '', 'X-Sum: 1\r\n'),
  ],
  ['chunks with extensions', 'calendar', chunks(['Transfer-Encoding: chunked'], calendar, ';name=value')],
  ['blanks behind the size of a chunk', 'calendar', chunks(['Transfer-Encoding: chunked'], calendar, '   ')],
  ['packed for the way only', 'calendar', chunks(['Transfer-Encoding: gzip, chunked'], packed)],
  ['chunks and a length', 'calendar', chunks(['Content-Length: 3', 'Transfer-Encoding: chunked'])],
  ['a last chunk that does not come', 'FETCH_CUT', chunks(['Transfer-Encoding: chunked']).subarray(0, -5)],
  ['a length that is too long', 'FETCH_CUT', answer([`Content-Length: ${size + 9}`])],
  ['a length below zero', 'FETCH_NOT_HTTP', answer(['Content-Length: -1'])],
  // header lines
  [
    'lines that end in LF alone',
    'calendar',
    answer(['Content-Type: text/calendar'], calendar, '200 OK', '\n'),
  ],
  [
    'lines that end in LF alone, with a length',
    'calendar',
    answer([`Content-Length: ${size}`], calendar, '200 OK', '\n'),
  ],
  ['lines of both kinds', 'calendar', answer(['X-One: 1\nX-Two: 2', `Content-Length: ${size}`])],
  ['a folded line', 'calendar', answer(['X-One: 1\r\n  and more', `Content-Length: ${size}`])],
  ['a NUL in a line', 'calendar', answer(['X-One: 1\0', `Content-Length: ${size}`])],
  ['letters beyond ASCII', 'calendar', answer(['X-One: \xc3\xa9', `Content-Length: ${size}`])],
  ['20 kB of rules for browsers', 'calendar', answer([`Content-Security-Policy: ${'a'.repeat(20_000)}`])],
  ['100 kB of header', 'FETCH_NOT_HTTP', answer([`X-One: ${'a'.repeat(100_000)}`])],
  ['text/html around a calendar', 'calendar', answer(['Content-Type: text/html'])],
  [
    'HTTP/1.0, to the end of the connection',
    'calendar',
    Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), calendar]),
  ],
  ['a status without words', 'calendar', answer([], calendar, '200')],
  [
    '100 Continue first',
    'calendar',
    Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), answer([])]),
  ],
  [
    '103 Early Hints first',
    'calendar',
    Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), answer([])]),
  ],
  ['an SSH server', 'FETCH_NOT_HTTP', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
  // statuses
  ['203', 'calendar', answer([], calendar, '203 Non-Authoritative Information')],
  [
    '206 of all of it',
    'calendar',
    answer([`Content-Range: bytes 0-${size - 1}/${size}`], calendar, '206 Partial Content'),
  ],
  [
    '206 of a part',
    'FETCH_STATUS',
    answer([`Content-Range: bytes 0-9/${size}`], calendar.subarray(0, 10), '206 Partial Content'),
  ],
  ['206 without a range', 'FETCH_STATUS', answer([], calendar, '206 Partial Content')],
  ['304 that nobody asked for', 'FETCH_STATUS', refused('304 Not Modified')],
  ['202, not yet ready', 'FETCH_SERVER', refused('202 Accepted')],
  // cookies
  [
    'a cookie that a redirect sets',
    'calendar',
    ({ path, head }) =>
      /^Cookie: a=1\r$/im.test(head)
        ? answer([`Content-Length: ${size}`])
        : path === '/'
          ? refused('302 Found', 'Set-Cookie: a=1; Path=/; HttpOnly', 'Location: /there')
          : refused('403 Forbidden'),
  ],
  [
    'a redirect to itself, with cookies',
    'calendar',
    ({ head }) =>
      /^Cookie: a=1; b="2=2"\r$/im.test(head)
        ? answer([`Content-Length: ${size}`])
        : refused(
            '302 Found',
            'Set-Cookie: a=1',
            'Set-Cookie: b="2=2"; Expires=Fri, 01 Jan 2300 00:00:00 GMT',
            'Set-Cookie: c=3; Max-Age=0',
            'Set-Cookie: d=4; Path=/elsewhere',
            'Set-Cookie: e=5; Secure',
            'Location: /',
          ),
  ],
  [
    'a cookie that is taken away again',
    'calendar',
    ({ path, head }) =>
      path === '/'
        ? refused('302 Found', 'Set-Cookie: a=1', 'Location: /2')
        : path === '/2'
          ? refused('302 Found', 'Set-Cookie: a=; Max-Age=0', 'Location: /3')
          : /^Cookie:/im.test(head)
            ? refused('403 Forbidden')
            : answer([`Content-Length: ${size}`]),
  ],
  // redirects
  ...['301', '302', '303', '307', '308'].map(
    (status) =>
      [
        `${status} with a relative address`,
        'calendar',
        ({ path }: Request) =>
          path === '/'
            ? to('there?x=1', `${status} R`)
            : path === '/there?x=1'
              ? answer([`Content-Length: ${size}`])
              : refused('404 N'),
      ] as const,
  ),
  ...(
    [
      ['blanks', '/a b', '/a%20b'],
      ['UTF-8', '/caf\xc3\xa9', '/caf%C3%A9'],
      ['Latin-1', '/caf\xe9', '/caf%E9'],
      ['a fragment', '/x#y', '/x'],
      ['blanks around it', '  /x  ', '/x'],
      ['a port of its own words', '//127.0.0.1:PORT/x', '/x'],
    ] as const
  ).map(
    ([name, location, wanted]) =>
      [
        `Location with ${name}`,
        'calendar',
        ({ path, head }: Request) =>
          path === '/'
            ? to(location.replace('PORT', /^Host: .*:(\d+)\r$/im.exec(head)?.[1] ?? ''))
            : path === wanted
              ? answer([`Content-Length: ${size}`])
              : refused('404 N'),
      ] as const,
  ),
  [
    'Location twice',
    'calendar',
    ({ path }) =>
      path === '/'
        ? refused('302 F', 'Location: /x', 'Location: /x')
        : path === '/x'
          ? answer([`Content-Length: ${size}`])
          : refused('404 N'),
  ],
  ['no Location', 'FETCH_REDIRECTS', refused('302 Found')],
  ['a calendar below a redirect in a circle', 'FETCH_REDIRECTS', () => to('/')],
  [
    'a connection that is closed between two requests',
    'calendar',
    ({ path, before }) =>
      path === '/' ? to('/x') : before > 0 ? undefined : answer([`Content-Length: ${size}`]),
  ],
  ['a server that hangs up each time', 'FETCH_CUT', () => undefined],
  // logins
  ['Digest only', 'FETCH_AUTH', refused('401 U', 'WWW-Authenticate: Digest realm="Basic, x", nonce="y"')],
  ['Windows only', 'FETCH_AUTH', refused('401 U', 'WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM')],
  [
    'Basic among others',
    'FETCH_AUTH',
    refused('401 U', 'WWW-Authenticate: Digest realm="x", Basic realm="y"'),
  ],
  ['401 without a word', 'FETCH_AUTH', refused('401 U')],
];

for (const [name, wanted, reply] of CASES)
  test(`servers: ${name}`, async (t) => {
    const fetched = await fetchFrom(await serve(t, reply));
    assert.equal(outcomeOf(fetched), wanted, JSON.stringify(fetched));
  });
