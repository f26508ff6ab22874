// The texts of the page, in English and Korean.

const WORDS = {
  title: ["Recurrent text models", "순환 신경망 텍스트 모델"],
  language: ["Language", "언어"],
  theme: ["Colours", "테마"],
  theme_system: ["System", "시스템 설정"],
  theme_light: ["Light", "밝게"],
  theme_dark: ["Dark", "어둡게"],
  loading: ["Loading the list of models", "모델 목록을 불러오는 중"],
  no_models: ["No model is loaded. The server's log has the reason.", "불러온 모델이 없습니다. 원인은 서버 로그를 확인하세요."],
  not_loaded: ["Not loaded: {names}", "불러오지 못한 모델: {names}"],
  classification: ["Classification", "텍스트 분류"],
  generation: ["Generation", "텍스트 생성"],
  translation: ["Translation", "번역"],
  requests: ["All signatures", "전체 시그니처"],
  models: ["Models", "모델"],
  version: ["version {version}", "버전 {version}"],
  text: ["Text", "텍스트"],
  sentence: ["Sentence", "문장"],
  prompt: ["Prompt", "프롬프트"],
  temperature: ["Temperature: {value}", "온도(temperature): {value}"],
  top_p: ["Top-p: {value}", "Top-p: {value}"],
  length: ["Length", "길이"],
  seed: ["Seed", "시드(seed)"],
  generate: ["Generate", "생성"],
  stop: ["Stop", "중지"],
  working: ["Working", "처리 중"],
  nothing: ["Type a text.", "텍스트를 입력하세요."],
  tokens: ["Tokens and their contributions", "토큰별 기여도"],
  tokens_help: [
    "Solid line: the token speaks for {label}. Dashed line: against. The arrow keys move from token to token.",
    "밑줄이 실선이면 {label} 쪽으로, 점선이면 반대쪽으로 기여한 토큰입니다. 화살표 키로 토큰 사이를 이동할 수 있습니다.",
  ],
  token_detail: [
    "{token}: contribution {contribution}, then p({label}) = {probability}",
    "{token}: 기여도 {contribution}, 이 토큰까지 읽었을 때 p({label}) = {probability}",
  ],
  after: ["Probability after each token", "토큰을 하나씩 읽어 갈 때의 확률"],
  next: ["Next characters", "다음에 올 문자"],
  next_help: ["Choose one to append it to the prompt.", "하나를 고르면 프롬프트 뒤에 붙습니다."],
  end: ["(end)", "(끝)"],
  attention: ["Attention", "어텐션"],
  attention_help: [
    "Point at a piece of the translation, or move with the arrow keys: the pieces of the sentence that it attends to are marked.",
    "번역문의 토큰을 포인터로 가리키거나 화살표 키로 옮겨 가면, 그 토큰을 만들 때 어텐션이 참조한 원문 토큰이 표시됩니다.",
  ],
  attention_table: ["All weights", "전체 가중치"],
  inside: ["Inside the network", "신경망 내부"],
  inside_help: ["Gates and states of the run {run}", "{run}의 게이트와 상태"],
  show: ["Show", "보기"],
  gate: ["Gate or state", "게이트 또는 상태"],
  gate_help: ["Rows are units, columns are tokens; light to dark is {low} to {high}.", "행은 유닛, 열은 토큰입니다. 색이 옅을수록 {low}, 짙을수록 {high}에 가깝습니다."],
  no_gates: ["This run has no gates to show.", "이 모델에는 표시할 게이트가 없습니다."],
  signature: ["Signature", "시그니처"],
  request: ["Request (JSON)", "요청(JSON)"],
  send: ["Send", "보내기"],
  answer: ["Answer", "응답"],
  not_json: ["The request is not valid JSON: {reason}", "요청이 올바른 JSON이 아닙니다: {reason}"],
  unreachable: ["The server does not answer.", "서버가 응답하지 않습니다."],
};

let language = 0;

/** Sets the language of the page, "en" or "ko". */
export function setLanguage(name) {
  language = name === "ko" ? 1 : 0;
  document.documentElement.lang = name;
}

/** Returns a text in the language of the page, with values in place of {names}. */
export function words(key, values = {}) {
  return WORDS[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
