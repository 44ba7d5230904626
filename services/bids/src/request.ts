/** What the service is asked: read, and refused where it leads outside of the roots of storage. Pure. */
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { FailureError, permanent } from '@scanflow/failure';
import { bidsOf, type Config } from '@scanflow/config';
import type { BidsRequest } from '@scanflow/bids';
import type { BidsRemoval } from '@scanflow/bids/answer';
import type { SessionRequest } from './work/types.ts';

const MOST_SERIES = 2_000;
const LABEL = /^[^/\\\0\p{Cc}]{1,64}$/u;

type Fields = Readonly<Record<string, unknown>>;

const bad = (what: string): FailureError =>
  new FailureError(
    permanent(
      'BIDS_REQUEST',
      `The bids service cannot use this request: ${what}. Run the same version everywhere.`,
    ),
  );

export function fieldsOf(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('expected a JSON object');
  return body as Fields;
}

function label(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || !LABEL.test(value) || value === '.' || value === '..')
    throw bad(`expected ${name}, a label`);
  return value;
}

/** Throws FailureError BIDS_REQUEST. */
export function readRequest(body: unknown): BidsRequest {
  const fields = fieldsOf(body);
  const { id, session, accessionNumber, root, series } = fields;
  if (typeof id !== 'string' || typeof root !== 'string' || typeof accessionNumber !== 'string')
    throw bad('expected id, root and accessionNumber');
  if (!Array.isArray(series) || series.length === 0 || series.length > MOST_SERIES)
    throw bad(`expected series: 1 to ${MOST_SERIES}`);
  return {
    id,
    project: label(fields, 'project'),
    subject: label(fields, 'subject'),
    ...(session === undefined ? {} : { session: label(fields, 'session') }),
    accessionNumber: accessionNumber.slice(0, 64),
    root,
    series: series.map((one: unknown) => {
      const { id: of, folder } = fieldsOf(one);
      if (typeof of !== 'string' || typeof folder !== 'string')
        throw bad('expected id and folder of a series');
      return { id: of, folder };
    }),
  };
}

/** Throws FailureError BIDS_REQUEST. */
export function readRemoval(body: unknown): BidsRemoval {
  const fields = fieldsOf(body);
  const { session, accessionNumber, series, root, erased } = fields;
  if (typeof root !== 'string' || typeof erased !== 'boolean') throw bad('expected root and erased');
  const ids = series === undefined ? undefined : idsIn(series);
  return {
    project: label(fields, 'project'),
    subject: label(fields, 'subject'),
    ...(session === undefined ? {} : { session: session === '' ? '' : label(fields, 'session') }),
    ...(typeof accessionNumber === 'string' ? { accessionNumber: accessionNumber.slice(0, 64) } : {}),
    ...(ids === undefined ? {} : { series: ids }),
    ...{ root, erased },
  };
}

/** The streamer names all series of a session. */
const MOST_REMOVED = 10_000;

function idsIn(series: unknown): string[] {
  if (!Array.isArray(series) || series.length > MOST_REMOVED)
    throw bad(`expected series: ${MOST_REMOVED} at most`);
  return series.map((id: unknown) => {
    if (typeof id !== 'string') throw bad('expected series: their ids');
    return id;
  });
}

type Places = Pick<Config, 'storage' | 'bids'>;

/** The root where a project lives, if it is one of the configuration. Throws FailureError. */
export function requireRoot(root: string, { storage }: Places): string {
  const known = [storage.root, ...Object.values(storage.projects).map((one) => one.root)].map(trimmed);
  if (!known.includes(trimmed(root)))
    throw bad('its root of storage is not in the configuration of the service');
  return trimmed(root);
}

const trimmed = (folder: string): string => normalize(folder).replace(/(?<=.)\/+$/, '');

/** Where the dataset of a project lies, absolute, and its rules; undefined where it has none. */
export function datasetOf(
  project: string,
  root: string,
  { storage, bids }: Places,
): { readonly root: string; readonly rules: string | undefined } | undefined {
  const own = bids === undefined ? undefined : bidsOf(bids, project);
  return own && { root: join(requireRoot(root, { storage, bids }), own.root), rules: own.rules };
}

/** The session as the work takes it. Throws FailureError where a folder is outside of its root. */
export function sessionOf(request: BidsRequest, datasetRoot: string, places: Places): SessionRequest {
  const storageRoot = requireRoot(request.root, places);
  const { project, subject, session, accessionNumber, series } = request;
  return {
    project,
    subject,
    session,
    accessionNumber,
    storageRoot,
    datasetRoot,
    series: series.map(({ id, folder }) => {
      const below = relative(storageRoot, normalize(folder));
      if (!isAbsolute(folder) || below === '' || below.split(sep)[0] === '..' || isAbsolute(below))
        throw bad('the folder of a series is not in its root of storage');
      return { id, folder: below.split(sep).join('/') };
    }),
  };
}
