import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from './guard.ts';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const statusOf = (headers: Record<string, string>): number | undefined => refusal({ headers })?.status;

test('guard: programs of this machine pass', () => {
  for (const host of ['127.0.0.1:9103', 'localhost:9103', '[::1]:9103', 'streamer:9103', '10.0.0.7'])
    assert.equal(statusOf({ host, ...JSON_TYPE }), undefined, host);
});

test('guard: web pages do not, of whatever origin', () => {
  const host = '127.0.0.1:9103';
  assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'https://evil.example' }), 403);
  assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'null' }), 403);
  assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'http://127.0.0.1:9103' }), 403);
  assert.equal(statusOf({ host, ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }), 403);
});

test('guard: a name of the internet that leads here does not pass', () => {
  for (const host of ['evil.example:9103', '', 'a b', 'x:y:1', '[evil.example]:1', '127.0.0.1.evil.example'])
    assert.equal(statusOf({ host, ...JSON_TYPE }), 403, host);
});

test('guard: what a form can send does not pass', () => {
  const host = '127.0.0.1:9103';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
    assert.equal(statusOf({ host, 'content-type': type }), 415, type);
});
