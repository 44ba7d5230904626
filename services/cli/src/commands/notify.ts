/** `scanflow notify`: sends a test notice by the configured channels, and shows what was told. */
import { randomUUID } from 'node:crypto';
import { MAIL, recipientsOf, sendNotice, type Notice, type Notify, type Recipient } from '@scanflow/notify';
import { CONFIG, openConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { actionsOf, createAsk, NotAsked, STREAMER, STREAMER_HELP, streamerApi } from '../series/client.ts';
import { plain, textTable } from '../terminal.ts';

const help = `Usage: scanflow notify test [--to ADDRESS|NAME] [--config FILE]
       scanflow notify list [--json]

  test              sends a test notice from this machine, or this container: to the mail addresses of notify.it, and by every
                    webhook and chat
  list              asks the streamer what was told, by which channel, and what waits

  --to              only to this mail address, or by the webhook or chat NAME; may be given more than once
  --config FILE     the configuration (default /etc/scanflow/scanflow.yaml)
  --json            prints JSON, for list
  ${STREAMER_HELP}

Example:  docker compose exec streamer scanflow notify test --to it@example.org
Exit:     0 sent, 1 somebody did not get it, 2 not started (usage, configuration, no streamer)
`;

async function test(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = readArgs(args, { ...CONFIG, to: { type: 'string', multiple: true } } as const);
  const { notify, facility } = await openConfig(values.config);
  if (notify === undefined) throw new UsageError('the configuration has no notify: docs/notify.md shows it');
  const all = wantedOf(notify, values.to);
  let end: ExitCode = EXIT.done;
  for (const to of all) {
    const notice = testNotice(facility.name, Temporal.Now.instant());
    const now = Temporal.Now.instant().epochMilliseconds;
    const outcome = await sendNotice(notice, to, notify, { now, signal: io.signal });
    const name = plain(to.channel === MAIL ? to.address : to.channel);
    if (outcome.kind === 'done') io.out.write(`${name}: sent\n`);
    else {
      end = EXIT.failed;
      io.err.write(`${name}: ${outcome.failure.code}: ${plain(outcome.failure.message)}\n`);
    }
  }
  return end;
}

function wantedOf(notify: Notify, to: readonly string[] | undefined): Recipient[] {
  const channels = [...Object.keys(notify.webhooks), ...Object.keys(notify.chats)];
  if (to === undefined) {
    const all = recipientsOf({ mail: notify.it?.mail ?? [], channels });
    if (all.length === 0) throw new UsageError('notify names nobody for a test; give --to');
    return all;
  }
  return to.map((one) => {
    if (one.includes('@')) {
      if (notify.mail === undefined) throw new UsageError('the configuration has no notify.mail');
      return { channel: MAIL, address: one };
    }
    if (!channels.includes(one))
      throw new UsageError(
        `--to takes a mail address, or one of ${channels.join(', ') || 'no webhook or chat'}`,
      );
    return { channel: one, address: '' };
  });
}

const testNotice = (facility: string, now: Temporal.Instant): Notice => ({
  ...{
    id: randomUUID(),
    thread: randomUUID(),
    role: 'it',
    topic: 'test',
    state: 'said',
    heading: 'Test of Scanflow',
  },
  ...{
    paragraphs: ['You get notices of Scanflow this way. Nothing is wrong.'],
    items: [],
    more: 0,
    facility,
  },
  at: now.toString(),
});

interface Row {
  readonly created: string;
  readonly topic: string;
  readonly role: string;
  readonly kind: string;
  readonly channel: string;
  readonly state: string;
  readonly failure?: { readonly code: string };
}

async function list(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = readArgs(args, { ...STREAMER, json: { type: 'boolean', default: false } } as const);
  const page = await createAsk(await streamerApi(values), io.signal)('/api/notices');
  const { notices } = page;
  if (!Array.isArray(notices)) throw new NotAsked('what answers there is no streamer of this version');
  if (values.json) io.out.write(`${JSON.stringify(page, null, 2)}\n`);
  else io.out.write(tableOf(notices as Row[]));
  return EXIT.done;
}

const tableOf = (rows: readonly Row[]): string =>
  rows.length === 0
    ? 'nobody was told anything yet\n'
    : textTable([
        ['WRITTEN', 'TOPIC', 'TO', 'AS', 'BY', 'STATE', 'CODE'],
        ...rows.map(({ created, topic, role, kind, channel, state, failure }) => [
          ...[created.slice(0, 19), topic, role, kind, channel, state, failure?.code ?? ''],
        ]),
      ]);

export const notify: Command = { help, run: actionsOf('notify', { test, list }) };
