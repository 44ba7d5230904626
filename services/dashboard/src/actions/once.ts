/** A form that was sent twice is done once: each has a word of its own, and the first post spends it. */
import { randomUUID } from 'node:crypto';
import { html, type Html } from '../page/html.ts';

/** Inside a form. */
export const onceField = (): Html => html`<input type="hidden" name="once" value="${randomUUID()}" />`;

export const isWord = (word: string): boolean => /^[0-9a-f-]{36}$/.test(word);
