/** A list, a journal or a file of a person cannot be used. Nothing was started. */
export class InputError extends Error {
  override name = 'InputError';
}
