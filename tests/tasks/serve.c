/* A client of an exported model without any Python: TensorFlow's C library and the SentencePiece op library.

   serve SENTENCEPIECE_OPS.so SAVED_MODEL TEXT ANSWER NUMBER, the last three the names that the signature has for its
   tensors (saved_model_cli show), a string and a float for each text: reads texts from standard input, one a line, and
   answers all of them at once: a line "ANSWER<tab>NUMBER" for each. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

#define MOST_TEXTS 1024

static void check(TF_Status *status, const char *doing) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s: %s\n", doing, TF_Message(status));
    exit(1);
  }
}

static TF_Output named(TF_Graph *graph, const char *name) {
  /* A signature names a tensor "OPERATION:INDEX". */
  char operation[256];
  const char *colon = strrchr(name, ':');
  snprintf(operation, sizeof operation, "%.*s", (int)(colon - name), name);
  TF_Output output = {TF_GraphOperationByName(graph, operation), atoi(colon + 1)};
  if (output.oper == NULL) {
    fprintf(stderr, "%s is not in the graph\n", name);
    exit(1);
  }
  return output;
}

static void free_strings(void *data, size_t size, void *count) {
  for (size_t i = 0; i < (size_t)count; i++) TF_StringDealloc((TF_TString *)data + i);
  free(data);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  const char *text_name = argv[3], *answer_name = argv[4], *number_name = argv[5];
  TF_Status *status = TF_NewStatus();
  TF_LoadLibrary(argv[1], status);
  check(status, "loading the SentencePiece ops");

  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  const char *tags[] = {"serve"};
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, argv[2], tags, 1, graph, NULL, status);
  check(status, "loading the model");

  int64_t count = 0;
  TF_TString *texts = calloc(MOST_TEXTS, sizeof(TF_TString));
  char *line = NULL;
  size_t space = 0;
  ssize_t length;
  while (count < MOST_TEXTS && (length = getline(&line, &space, stdin)) > 0) {
    if (line[length - 1] == '\n') length--;
    TF_StringInit(&texts[count]);
    TF_StringCopy(&texts[count++], line, length);
  }
  TF_Tensor *input = TF_NewTensor(TF_STRING, &count, 1, texts, count * sizeof(TF_TString), free_strings, (void *)count);

  TF_Output inputs[] = {named(graph, text_name)};
  TF_Output outputs[] = {named(graph, answer_name), named(graph, number_name)};
  TF_Tensor *found[2];
  TF_SessionRun(session, NULL, inputs, &input, 1, outputs, found, 2, NULL, 0, NULL, status);
  check(status, "running the model");
  const TF_TString *answers = TF_TensorData(found[0]);
  const float *numbers = TF_TensorData(found[1]);
  for (int64_t i = 0; i < count; i++)
    printf("%.*s\t%.6f\n", (int)TF_StringGetSize(&answers[i]), TF_StringGetDataPointer(&answers[i]), numbers[i]);
  return 0;
}
