import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PduReader } from './reader.ts';
import { strangerIn, whatToDo } from './stranger.ts';

test('stranger: what answers instead of DICOM, by its first bytes', () => {
  const told = (text: string): unknown => strangerIn(Buffer.from(text, 'latin1'));
  assert.equal(told('HTTP/1.1 400 Bad Request'), 'HTTP');
  assert.equal(told('<html><head>'), 'HTTP');
  assert.equal(told('<!DOCTYPE html>'), 'HTTP');
  assert.equal(told('GET / HTTP/1.1'), 'HTTP');
  assert.equal(told('SSH-2.0-OpenSSH_9.2'), 'SSH');
  assert.equal(told('\u0015\u0003\u0003\0\u0002\u0002F'), 'TLS');
  assert.equal(told('\u0016\u0003\u0001'), 'TLS');
  assert.equal(told('220 mail.example.org ESMTP'), 'FTP or mail');
  assert.equal(told('RFB 003.008'), 'VNC');
  assert.equal(told('\u0042\u0001'), undefined);
  assert.equal(told(''), undefined);
});

test('stranger: is named in place of a number', () => {
  const reader = new PduReader({ dataBytes: 1024, associateBytes: 1024 });
  assert.throws(() => [...reader.push(Buffer.from('HTTP/1.1 200 OK'))], {
    message: 'it speaks HTTP, not DICOM',
  });
  assert.match(whatToDo('HTTP'), /^This is an HTTP port/);
  assert.match(whatToDo('TLS'), /TLS/);
});
