import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// Text from a run is data: nothing here may turn a string into markup.
const MARKUP = 'Use textContent and elements: text from a run never becomes markup.';
const MARKUP_PROPERTIES = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'srcdoc'];
const MARKUP_METHODS = ['write', 'writeln', 'createContextualFragment'];

export default tseslint.config(
  { ignores: ['lib', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-restricted-properties': [
        'error',
        ...MARKUP_PROPERTIES.map((property) => ({ property, message: MARKUP })),
        ...MARKUP_METHODS.map((property) => ({
          object: 'document',
          property,
          message: MARKUP,
        })),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
          message: MARKUP,
        },
        { selector: 'NewExpression[callee.name="DOMParser"]', message: MARKUP },
        { selector: 'NewExpression[callee.name="Function"]', message: MARKUP },
      ],
      'no-eval': 'error',
    },
  },
);
