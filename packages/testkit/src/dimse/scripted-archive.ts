/** Tests only: a Query/Retrieve SCP that finds truly and moves as its script says, so that it can lie like no real one. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { defined } from '@scanflow/failure/defined';
import {
  answer,
  APPLICATION_CONTEXT,
  dataSet,
  decodeDataSet,
  encodeDataSet,
  matches,
  readAttributes,
  sopClasses,
  text,
  transferSyntaxes,
  type DataSet,
} from '@scanflow/dicom';
import { Association } from '../../../dimse/src/association.ts';
import {
  COMMAND,
  DATA_SET,
  NO_DATA_SET,
  RESPONSE,
  type Command,
  type Message,
} from '../../../dimse/src/message.ts';
import { store } from '../../../dimse/src/scu/store/store.ts';
import { answerContexts } from '../../../dimse/src/ul/negotiation.ts';
import { listenOnLoopback } from '../process.ts';

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const KEYS = [
  ...['StudyDate', 'AccessionNumber', 'Modality', 'PatientID', 'StudyInstanceUID', 'SeriesInstanceUID'],
  ...['SOPInstanceUID', 'SOPClassUID'],
];
const SYNTAXES = [EXPLICIT, transferSyntaxes.implicitVRLittleEndian];
const SERVED = [sopClasses.verification, sopClasses.studyRootFind, sopClasses.studyRootMove].map(
  (abstractSyntax) => ({ abstractSyntax, transferSyntaxes: SYNTAXES }),
);

export interface ArchivedImage {
  readonly sopInstanceUid: string;
  readonly bytes: Uint8Array;
}

/** Sub-operation counts of a response. */
type Counts = Pick<
  Command,
  'remainingSubOperations' | 'completedSubOperations' | 'failedSubOperations' | 'warningSubOperations'
>;

/** One C-MOVE request in the hands of the script. */
export interface ScriptedMove {
  /** 1 for the first of this SCP. */
  readonly count: number;
  readonly identifier: DataSet;
  readonly level: string;
  readonly destination: string;
  /** What the identifier names. */
  readonly images: readonly ArchivedImage[];
  /** Aborts with C-CANCEL, and when the association ends. */
  readonly cancelled: AbortSignal;
  send(images: readonly ArchivedImage[], port: number): Promise<void>;
  pending(counts: Counts): Promise<void>;
  final(status: number, counts?: Counts, failedUids?: readonly string[]): Promise<void>;
  /** A-ABORT. */
  abort(): void;
  /** Closes the connection without a word, behind what was sent. */
  close(): void;
}

export interface ArchiveScript {
  readonly images?: readonly ArchivedImage[];
  readonly onMove?: (move: ScriptedMove) => Promise<void>;
  /** The answers to a C-FIND in place of the true ones, or a failure status. */
  readonly onFind?: (
    level: string,
    identifier: DataSet,
    found: readonly DataSet[],
  ) => readonly DataSet[] | number;
}

export interface ScriptedArchive {
  readonly port: number;
  /** Levels of the C-MOVE requests so far. */
  readonly moves: readonly string[];
  /** Levels of the C-FIND requests so far. */
  readonly finds: readonly string[];
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startScriptedArchive(script: ArchiveScript): Promise<ScriptedArchive> {
  const archive = new Archive(script);
  const server = createServer((socket) => void archive.serve(socket));
  const port = await listenOnLoopback(server);
  const { moves, finds } = archive;
  return {
    port,
    moves,
    finds,
    close: async () => {
      // the script may have closed it
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of archive.sockets) socket.destroy();
      await closed;
    },
  };
}

interface Entry extends ArchivedImage {
  readonly item: DataSet;
}

class Archive {
  readonly sockets = new Set<Socket>();
  readonly moves: string[] = [];
  readonly finds: string[] = [];
  readonly #script: ArchiveScript;
  readonly #entries: readonly Entry[];

  constructor(script: ArchiveScript) {
    this.#script = script;
    this.#entries = (script.images ?? []).map((image) => {
      const read = readAttributes(image.bytes, KEYS, { complete: true });
      if (read.kind !== 'attributes') throw new Error('an image that cannot be read');
      return { ...image, item: read.dataSet };
    });
  }

  async serve(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    const association = new Association(socket, {
      role: 'acceptor',
      limits: { dataBytes: 1e6, associateBytes: 1e6, commandBytes: 1e6, dataSetBytes: 1e6 },
      artimMs: 5_000,
      stallMs: 60_000,
      answer: (request) => ({
        ...request,
        type: 'associate-ac',
        applicationContext: APPLICATION_CONTEXT,
        contexts: answerContexts(request.contexts, SERVED),
        user: { maximumLength: 65_536, implementationClassUid: '1.2.3', roles: [] },
      }),
    });
    const cancelled = new AbortController();
    void association.ended.then(() => cancelled.abort());
    if (!(await association.established)) return;
    for (;;) {
      const message = await association.receive();
      if (message === undefined) return;
      const { commandField } = message.command;
      if (commandField === COMMAND.cancelRq) cancelled.abort();
      else if (commandField === COMMAND.findRq) await this.#find(association, message);
      // not awaited, so that a C-CANCEL is heard meanwhile
      else if (commandField === COMMAND.moveRq)
        void this.#move(association, message, cancelled.signal, socket);
      else await association.send(message.contextId, respond(message, 0));
    }
  }

  async #find(association: Association, message: Message): Promise<void> {
    const { contextId } = message;
    const identifier = identifierOf(association, message);
    const level = text(identifier, 'QueryRetrieveLevel') ?? '';
    this.finds.push(level);
    const found = this.#items(level)
      .filter((item) => matches(identifier, item, undefined, 'any'))
      .map((item) => answer(identifier, item));
    const scripted = this.#script.onFind?.(level, identifier, found) ?? found;
    const syntax = association.context(contextId)?.transferSyntax ?? EXPLICIT;
    for (const item of typeof scripted === 'number' ? [] : scripted) {
      const bytes = encodeDataSet(item, syntax, 'ISO_IR 100');
      await association.send(contextId, { ...respond(message, 0xff00), dataSetType: DATA_SET }, bytes);
    }
    await association.send(contextId, respond(message, typeof scripted === 'number' ? scripted : 0));
  }

  /** One per study, series or image, with the counts that queries may ask for. */
  #items(level: string): DataSet[] {
    const by = { STUDY: 'StudyInstanceUID', SERIES: 'SeriesInstanceUID' }[level] ?? 'SOPInstanceUID';
    const count = (entries: readonly Entry[], of: string): number =>
      new Set(entries.map(({ item }) => text(item, of))).size;
    return [...Map.groupBy(this.#entries, ({ item }) => text(item, by)).values()].map((entries) => {
      const images = count(entries, 'SOPInstanceUID');
      const counts = dataSet({
        QueryRetrieveLevel: level,
        ...(level === 'STUDY' ? { NumberOfStudyRelatedInstances: images } : {}),
        ...(level === 'STUDY' ? { NumberOfStudyRelatedSeries: count(entries, 'SeriesInstanceUID') } : {}),
        ...(level === 'SERIES' ? { NumberOfSeriesRelatedInstances: images } : {}),
      });
      return new Map([...(entries[0]?.item ?? []), ...counts]);
    });
  }

  async #move(
    association: Association,
    message: Message,
    cancelled: AbortSignal,
    socket: Socket,
  ): Promise<void> {
    const identifier = identifierOf(association, message);
    const level = text(identifier, 'QueryRetrieveLevel') ?? '';
    const { contextId, command } = message;
    const keys = new Map([...identifier].filter(([tag]) => tag !== 0x0008_0052));
    const send = (more: Partial<Command>, status: number, data?: Uint8Array): Promise<boolean> =>
      association.send(contextId, { ...respond(message, status), ...more }, data);
    this.moves.push(level);
    await this.#script.onMove?.({
      count: this.moves.length,
      identifier,
      level,
      destination: command.moveDestination ?? '',
      images: this.#entries.filter(({ item }) => matches(keys, item, undefined, 'any')),
      cancelled,
      send: sendTo,
      pending: async (counts) => {
        await send(counts, 0xff00);
      },
      final: async (status, counts = {}, failedUids) => {
        if (failedUids === undefined) await send(counts, status);
        else {
          const list = dataSet({ FailedSOPInstanceUIDList: [...failedUids] });
          const syntax = association.context(contextId)?.transferSyntax ?? EXPLICIT;
          await send({ ...counts, dataSetType: DATA_SET }, status, encodeDataSet(list, syntax));
        }
      },
      abort: () => association.abort('as the script says'),
      close: () => socket.end(),
    });
  }
}

const identifierOf = (association: Association, { contextId, dataSet: bytes }: Message): DataSet =>
  decodeDataSet(bytes ?? new Uint8Array(), association.context(contextId)?.transferSyntax ?? EXPLICIT);

const respond = ({ command }: Message, status: number): Command => ({
  commandField: command.commandField | RESPONSE,
  messageIdBeingRespondedTo: command.messageId ?? 0,
  ...defined({ affectedSopClassUid: command.affectedSopClassUid }),
  dataSetType: NO_DATA_SET,
  status,
});

async function sendTo(images: readonly ArchivedImage[], port: number): Promise<void> {
  const peer = { host: '127.0.0.1', port, calledAet: 'TARGET', callingAet: 'ARCHIVE' };
  const items = images.map(({ sopInstanceUid: id, bytes }) => ({ id, bytes }));
  for await (const { result } of store(peer, items))
    if (result === 'failed') throw new Error('the target did not take an image');
}
