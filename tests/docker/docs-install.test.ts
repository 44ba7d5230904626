/** docs/install.md and docs/operations.md, followed on one machine: each block that has a mark runs. */
import { mkdir } from 'node:fs/promises';
import { after, before, suite } from 'node:test';
import { followPage, Machine } from './docs.ts';
import { whyNot } from './engine.ts';

suite('docs: from an empty machine to daily work', { skip: await whyNot() }, async () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.create('install');
    // a calendar that is there
    machine.words.set('url: https://booking.example.org/skyra.ics', 'file: calendars/prisma.ics');
  });
  after(() => machine.remove());

  await followPage(() => machine, 'install.md', {
    before: {
      project: async () => {
        await mkdir(machine.path('/mnt/project'), { recursive: true });
      },
    },
  });
  await followPage(() => machine, 'operations.md');
});
