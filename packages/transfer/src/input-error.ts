/** What a person gave cannot be used, such as a list, a journal or a file that is not there. Nothing was started. */
export class InputError extends Error {
  override name = 'InputError';
}
