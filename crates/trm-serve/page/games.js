import { mazeGame } from "./maze-game.js";
import { sudokuGame } from "./sudoku-game.js";

/**
 * A puzzle on the page: its board, and what is its own in asking and judging.
 * @typedef {object} Game
 * @property {string} puzzle its name, as in /hello
 * @property {string} freshLabel what the button for a fresh one says
 * @property {string} cursorHint what stands below the board before a cell is chosen
 * @property {import("./history.js").History<any>} history what is on the board
 * @property {import("./grid-view.js").GridView} view
 * @property {(thought: Thought) => void} show
 * @property {() => string} grid the question as the API takes it
 * @property {() => any} cleared the board without what was drawn on it
 * @property {() => import("./fit.js").Problem | null} problem why it cannot be solved as it is
 * @property {() => import("./fit.js").Problem | null} advice what to know before it is solved
 * @property {(side?: number) => Promise<any>} fresh
 * @property {(value: any) => string} wordsFor what a screen reader hears of a new board
 * @property {(prediction: object) => number[] | null} target the right answer
 * @property {(prediction: object) => void} showVerdict
 * @property {(allowed: boolean) => void} allowAnswer whether there is an answer to save
 * @property {() => string} toLink @property {(fields: URLSearchParams) => any} fromLink null when it is not in there
 * @property {() => void} enter
 *
 * What the model thinks at a step: tokens, those before, probabilities, and the right tokens to show the difference to.
 * @typedef {{answer: number[] | null, before: number[] | null, probability: number[] | null, target: number[] | null}} Thought
 */

/** The puzzles that the page can show, by name. @param {import("./main.js").Page} page @returns {Record<string, Game>} */
export const makeGames = (page) => ({ maze: mazeGame(page), sudoku: sudokuGame(page) });
