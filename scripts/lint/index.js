import { borders } from './borders.js'
import { docstrings } from './docstrings.js'
import { noCircles } from './no-circles.js'

/** ESLint rules of this project. */
export const house = { rules: { borders, docstrings, 'no-circles': noCircles } }
