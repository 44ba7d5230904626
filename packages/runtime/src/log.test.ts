import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createLog, type LogOptions } from './log.ts';

function collect(options: Partial<LogOptions> = {}): {
  log: ReturnType<typeof createLog>;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLog({ service: 'test', format: 'json', stream, ...options });
  const lines = (): Record<string, unknown>[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, text: () => text };
}

test('log: one JSON line with time, level, service, event and fields', () => {
  const { log, lines } = collect();
  log.info('stored', { accession: 'A1', images: 3 });
  const [line] = lines();
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(
    { ...line, time: '' },
    { time: '', level: 'info', service: 'test', event: 'stored', accession: 'A1', images: 3 },
  );
});

for (const name of [
  'patientName',
  'PatientID',
  'subject',
  'labels',
  'title',
  'operator',
  'password',
  'seriesDescription',
])
  test(`log: ${name} is withheld above debug, however deep`, () => {
    const { log, text } = collect();
    log.error('x', { [name]: 'Jansen' });
    log.info('x', { deep: { list: [{ [name]: 'Jansen' }] } });
    log.child({ [name]: 'Jansen' }).warn('x');
    assert.doesNotMatch(text(), /Jansen/);
    assert.match(text(), /withheld/);
  });

test('log: at debug level nothing is withheld', () => {
  const { log, text } = collect({ level: 'debug' });
  log.debug('x', { subject: 'sub-001' });
  assert.match(text(), /sub-001/);
});

test('log: debug lines are not written at info level', () => {
  const { log, text } = collect();
  log.debug('x');
  assert.equal(text(), '');
});

test('log: an error has its name, code and message, and its stack at debug only', () => {
  const error = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const { log, lines } = collect();
  log.error('failed', { error });
  assert.deepEqual(lines()[0]?.['error'], { name: 'Error', code: 'ENOSPC', message: 'no space' });
  const debug = collect({ level: 'debug' });
  debug.log.error('failed', { error });
  assert.match(debug.text(), /"stack":/);
});

test('log: fields named level and message, bigints, maps and line breaks do no harm', () => {
  const { log, lines } = collect();
  log.info('x\ny', { level: 'error', message: 'm', big: 1n, map: new Map([['a', 1]]) });
  const [line] = lines();
  assert.equal(line?.['level'], 'info');
  assert.equal(line['event'], 'x\ny');
  assert.equal(line['big'], '1');
});

test('log: what one address repeats is summed up, for each event by itself, and what others do is written', () => {
  const { log, lines } = collect();
  for (let index = 0; index < 5_000; index += 1) {
    log.warn('rejected', { address: '10.0.0.7', association: index });
    if (index % 1_000 === 0) log.warn('rejected', { address: '10.0.0.8' });
    if (index % 1_000 === 0) log.child({ address: '10.0.0.7' }).info('accepted');
  }
  log.info('without an address');
  log.flush();
  log.flush();
  const of = (event: string, address: string): number =>
    lines().filter((line) => line['event'] === event && line['address'] === address).length;
  assert.deepEqual(
    [of('rejected', '10.0.0.7'), of('rejected', '10.0.0.8'), of('accepted', '10.0.0.7')],
    [31, 5, 5],
  );
  const sum = lines().at(-1);
  assert.deepEqual(
    { ...sum, time: '' },
    {
      time: '',
      level: 'warn',
      service: 'test',
      event: 'rejected',
      address: '10.0.0.7',
      more: 4_970,
      seconds: 1,
      note: 'and 4,970 more from 10.0.0.7 in 1 s',
    },
  );
});

test('log: a flood from many addresses takes bounded memory and few lines', () => {
  const { log, lines } = collect();
  for (let index = 0; index < 50_000; index += 1)
    log.warn('rejected', { address: `10.${index >> 8}.${index & 255}.1` });
  log.flush();
  assert.ok(lines().length <= 1_100, `${lines().length} lines`);
  assert.match(String(lines().at(-1)?.['note']), /and 48,970 more from other addresses/);
});

test('log: text is one readable line', () => {
  const { log, text } = collect({ format: 'text' });
  log.warn('slow answer', { ms: 1200 });
  assert.match(stripVTControlCharacters(text()), /^\d\d:\d\d:\d\d\.\d{3} warn {2}slow answer {2}ms=1200\n$/);
});

test('log: text has times of the facility, JSON has UTC', () => {
  const { log, text } = collect({ format: 'text', timezone: 'Asia/Kolkata' });
  const before = Temporal.Now.plainTimeISO('Asia/Kolkata');
  log.info('x');
  const shown = Temporal.PlainTime.from(stripVTControlCharacters(text()).slice(0, 12));
  const seconds = before.round('millisecond').until(shown).total('seconds');
  assert.ok(
    Math.abs(seconds) < 60 || Math.abs(seconds) > 86_340,
    `${shown.toString()} is not the time there`,
  );
  const { log: json, lines } = collect({ timezone: 'Asia/Kolkata' });
  json.info('x');
  assert.match(String(lines()[0]?.['time']), /Z$/);
});

test('log: what comes from outside cannot steer a terminal or start a line', () => {
  const { log, text } = collect({ format: 'text' });
  log.info('a\nb', { reason: 'x\r\n00:00:00.000 error forged \u001b[2J', 'na\u001bme': 'y' });
  assert.equal(text().split('\n').length, 2);
  assert.doesNotMatch(stripVTControlCharacters(text()).trimEnd(), /\p{Cc}/u);
  assert.ok(!text().includes('\u001b[2J'));
});

test('log: fields with the names of a line do not replace them', () => {
  const { log, lines } = collect();
  log.info('x', { time: 't', service: 's', event: 'e', message: 'm' });
  const [line] = lines();
  assert.equal(line?.['service'], 'test');
  assert.equal(line['event'], 'x');
  assert.equal(line['service_'], 's');
  assert.equal(line['message'], 'm');
});

test('log: readable on a terminal, JSON elsewhere', () => {
  for (const isTTY of [true, false]) {
    let written = '';
    const stream = Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          written += chunk.toString();
          done();
        },
      }),
      { isTTY },
    );
    createLog({ service: 'test', stream }).info('x');
    assert.equal(written.startsWith('{'), !isTTY, written);
  }
});
