/** What docs/failures.md tells about a failure. */
import type { Failure } from '../failure.ts';

/** `notice`: nothing failed, but somebody should know. */
export type Kind = Failure['kind'] | 'notice';

export interface Section {
  readonly title: string;
  readonly intro?: string;
  /**
   * Codes (with a space between those that share a row), kinds, the sentence that says what happened, and the remedy.
   * Markdown.
   */
  readonly failures: readonly (readonly [
    codes: string,
    kind: Kind | `${Kind}, ${Kind}`,
    means: string,
    remedy: string,
  ])[];
  readonly outro?: string;
}
