/** Oddities of a feed that the reader accepted. */

export type FeedNoteCode = 'FEED_SECOND_BOM' | 'FEED_TEXT_AROUND' | 'FEED_INDENTED' | 'FEED_NOT_UTF8';

/** A code, and a sentence for the people who run the calendar. */
export interface FeedNote {
  readonly code: FeedNoteCode;
  readonly message: string;
}

const MESSAGES: Readonly<Record<FeedNoteCode, string>> = {
  FEED_SECOND_BOM:
    'The calendar has a byte order mark more than its first one. It was read without them. Let the program that puts it together leave them out.',
  FEED_TEXT_AROUND:
    'There is text outside the calendar, such as an error message of the program that makes it. The calendar in it was read. Open its address in a browser, and mend what the text says.',
  FEED_INDENTED:
    'The lines of the calendar are indented, which RFC 5545 does not allow. They were read without their indentation. Let the program that makes it write lines from their first column.',
  FEED_NOT_UTF8:
    'Some lines of the calendar are not UTF-8. They were read in the character set that was declared, else as Windows-1252. Check names with accents, and let the program that makes it write UTF-8.',
};

export const note = (code: FeedNoteCode): FeedNote => ({ code, message: MESSAGES[code] });
