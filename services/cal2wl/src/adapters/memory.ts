/** Keeps the state of each calendar over restarts: its last good body, and the validators for the next request. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import { takeAcceptance } from '@scanflow/records';
import { removeLeftovers } from '@scanflow/runtime';
import type { Validators } from '@scanflow/sources';
import { OWN_FILES, type Files } from '../lead.ts';

export interface Remembered {
  readonly validators: Validators;
  /** SHA-256 of the body, in hexadecimal; undefined if there is no last good body. */
  readonly bodyHash?: string;
  /** The declared character set; empty if none was declared, undefined in a state of 0.1.0, which did not keep it. */
  readonly charset?: string;
  /** When the calendar last gave a readable answer. */
  readonly lastGood?: Temporal.Instant;
  /** The removals that the shrink guard holds back. */
  readonly suspicion?: string;
  /** The earliest next request that the server allows (Retry-After). */
  readonly notBefore?: Temporal.Instant;
}

export interface Memory {
  /** State of a calendar at an address. Another address voids the validators. Damaged files never make it throw. */
  load(calendar: string, address: string): Promise<Remembered>;
  loadBody(calendar: string, hash: string): Promise<Uint8Array | undefined>;
  saveBody(calendar: string, bytes: Uint8Array): Promise<void>;
  save(calendar: string, address: string, state: Remembered): Promise<void>;
  /** Whether a person accepted the removals that the shrink guard holds back. It counts once. */
  takeAcceptance(calendar: string): Promise<boolean>;
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Bodies hold titles and names of people: only this user and its group may read them. */
const MODE = 0o640;

/** Opens the folder, and makes it if it is missing. State files hold a hash of the address, which may contain a secret. */
export async function openMemory(folder: string, files: Files = OWN_FILES): Promise<Memory> {
  await files.mayAct();
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await removeLeftovers(folder);
  const statePath = (calendar: string): string => join(folder, `${calendar}.json`);
  const bodyPath = (calendar: string): string => join(folder, `${calendar}.ics`);
  return {
    async load(calendar, address) {
      const state = parseState(await readFile(statePath(calendar), 'utf8').catch(() => ''));
      const sameAddress = state.address === sha256(address);
      if (sameAddress && state.remembered.charset === undefined)
        return { ...state.remembered, validators: {} };
      if (sameAddress) return state.remembered;
      const { notBefore: _, ...remembered } = state.remembered;
      return { ...remembered, validators: {} };
    },
    async loadBody(calendar, hash) {
      const bytes = await readFile(bodyPath(calendar)).catch(() => undefined);
      return bytes !== undefined && sha256(bytes) === hash ? bytes : undefined;
    },
    saveBody: (calendar, bytes) => files.write(bodyPath(calendar), bytes, MODE),
    async takeAcceptance(calendar) {
      await files.mayAct();
      return takeAcceptance(folder, calendar);
    },
    async save(calendar, address, { lastGood, notBefore, ...state }) {
      const text = {
        version: 1,
        address: sha256(address),
        ...state,
        ...defined({ lastGood: lastGood?.toString(), notBefore: notBefore?.toString() }),
      };
      await files.write(statePath(calendar), `${JSON.stringify(text, null, 2)}\n`, MODE);
    },
  };
}

/** The readable values of a state file. A damaged file costs only a full fetch. */
function parseState(text: string): { address: string | undefined; remembered: Remembered } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const fields = isObject(value) ? value : {};
  const string = (from: Record<string, unknown>, name: string): string | undefined =>
    typeof from[name] === 'string' ? from[name] : undefined;
  const validators = isObject(fields['validators']) ? fields['validators'] : {};
  return {
    address: string(fields, 'address'),
    remembered: {
      validators: defined({
        etag: string(validators, 'etag'),
        lastModified: string(validators, 'lastModified'),
      }),
      ...defined({
        bodyHash: string(fields, 'bodyHash'),
        charset: string(fields, 'charset'),
        suspicion: string(fields, 'suspicion'),
        lastGood: instant(string(fields, 'lastGood')),
        notBefore: instant(string(fields, 'notBefore')),
      }),
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function instant(text: string | undefined): Temporal.Instant | undefined {
  try {
    return text === undefined ? undefined : Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}
