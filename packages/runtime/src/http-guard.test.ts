import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownNames, refusal } from './http-guard.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const NAMES = ownNames('streamer', { bind: '0.0.0.0', hosts: ['Scanflow.Example.org'] });

interface Case {
  readonly method?: string;
  readonly admitted?: boolean;
  readonly localAddress?: string;
}

const statusOf = (
  headers: Record<string, string>,
  { method = 'POST', admitted = true, localAddress = '10.0.0.7' }: Case = {},
): number | undefined => refusal({ headers, method, localAddress }, NAMES, admitted)?.status;

test('guard: programs that know the token and a name of the service pass', () => {
  for (const host of [
    '127.0.0.1:9103',
    'localhost:9103',
    '[::1]:9103',
    'Streamer:80',
    'scanflow.example.org',
    '10.0.0.7',
  ])
    assert.equal(statusOf({ host, ...JSON_TYPE }), undefined, host);
  assert.equal(statusOf({ host: '10.0.0.7' }, { method: 'GET', localAddress: '::ffff:10.0.0.7' }), undefined);
});

test('guard: the address that it listens on is a name of it, one that stands for all addresses is not', () => {
  assert.ok(ownNames('cal2wl', { bind: '10.1.2.3', hosts: [] }).has('10.1.2.3'));
  assert.ok(!NAMES.has('0.0.0.0'));
});

test('guard: without the token nobody passes, reading or changing', () => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])
    assert.equal(statusOf({ host: 'localhost', ...JSON_TYPE }, { method, admitted: false }), 401, method);
});

test('guard: a name that is not of the service does not pass, whatever it brings', () => {
  const others = [
    'evil.example:9103',
    '',
    'a b',
    'x:y:1',
    '[evil.example]:1',
    '127.0.0.1.evil.example',
    '10.0.0.8',
    'other',
  ];
  for (const host of [...others, 'streamer@evil.example', 'localhost, evil.example', 'localhost:123456'])
    for (const method of ['GET', 'POST'])
      assert.equal(statusOf({ host, ...JSON_TYPE }, { method }), 403, host);
});

test('guard: web pages do not pass, of whatever origin', () => {
  const host = '127.0.0.1:9103';
  for (const method of ['GET', 'POST']) {
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'https://evil.example' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'null' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'http://127.0.0.1:9103' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }, { method }), 403);
  }
});

test('guard: what a form can send changes nothing', () => {
  const host = '127.0.0.1:9103';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
    assert.equal(statusOf({ host, 'content-type': type }), 415, type);
});
