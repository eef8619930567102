import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Time and chance come through interfaces, so that tests own them (docs/architecture.md). */
const impure = [
  { object: 'Date', property: 'now', message: 'Take a Clock.' },
  { object: 'Math', property: 'random', message: 'Take a Random.' },
  { object: 'crypto', property: 'randomUUID', message: 'Take a Random.' },
  { object: 'performance', property: 'now', message: 'Take a Clock.' },
]

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*.js', '**/*.mjs', '**/*.cjs', '.sluice/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: ['./tsconfig.check.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/require-await': 'off',
      'no-control-regex': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['core/**/*.ts', 'providers/**/*.ts'],
    ignores: ['**/*.test.ts', 'core/src/spi/system-*.ts', 'core/contract/**'],
    rules: {
      'no-restricted-properties': ['error', ...impure],
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval'],
    },
  },
  {
    files: [
      '**/*.test.ts',
      '**/testing/**/*.ts',
      'test/**/*.ts',
      'bench/**/*.ts',
      'core/contract/**/*.ts',
      'runtimes/contract/**/*.ts',
    ],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Answers from outside are looked into freely: a wrong shape fails the test.
      '@typescript-eslint/no-explicit-any': 'off',
      'no-console': 'off',
    },
  },
)
