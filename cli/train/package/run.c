/* Loads a model of this package in ONNX Runtime and holds it against its first test vector.

       cc -O2 examples/run.c -I ORT/include -L ORT/lib -lonnxruntime -lm -o run
       ./run MODEL.onnx FOLDER_OF_VECTORS BOUND

   such as `./run fp32/model.onnx fp32/test_data_set_0 3e-4`. ORT is where onnxruntime was unpacked. It takes models of one
   input and one output of 32-bit floats. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxruntime_c_api.h"

static const OrtApi *ort;

static void check(OrtStatus *status) {
    if (status != NULL) {
        fprintf(stderr, "%s\n", ort->GetErrorMessage(status));
        exit(1);
    }
}

static void fail(const char *what, const char *file) {
    fprintf(stderr, "%s: %s\n", file, what);
    exit(1);
}

/* The numbers of an .npy file of 32-bit floats in row-major order, and its sizes. */
static float *read_npy(const char *folder, const char *name, int64_t *sizes, size_t *rank, size_t *count) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail("cannot be opened", path);
    unsigned char begin[10];
    if (fread(begin, 1, 10, file) != 10 || memcmp(begin, "\x93NUMPY", 6) != 0) fail("is no .npy", path);
    size_t length = begin[8] | (size_t)begin[9] << 8;
    char *header = calloc(length + 1, 1);
    if (header == NULL || fread(header, 1, length, file) != length) fail("is cut short", path);
    if (strstr(header, "'<f4'") == NULL) fail("does not hold 32-bit floats", path);
    char *at = strchr(strstr(header, "'shape'") ? strstr(header, "'shape'") : header, '(');
    if (at == NULL) fail("has no shape", path);
    *rank = 0;
    *count = 1;
    for (at++; *at != ')' && *at != '\0' && *rank < 8;) {
        char *end;
        long long size = strtoll(at, &end, 10);
        if (end == at) {
            at++;
            continue;
        }
        sizes[(*rank)++] = size;
        *count *= (size_t)size;
        at = end;
    }
    float *data = malloc(*count * sizeof *data);
    if (data == NULL || fread(data, sizeof *data, *count, file) != *count) fail("is cut short", path);
    free(header);
    fclose(file);
    return data;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: run MODEL.onnx FOLDER_OF_VECTORS BOUND\n");
        return 2;
    }
    ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (ort == NULL) fail("is older than its header", "onnxruntime");

    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtMemoryInfo *memory;
    OrtAllocator *allocator;
    check(ort->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "run", &env));
    check(ort->CreateSessionOptions(&options));
    check(ort->CreateSession(env, argv[1], options, &session));
    check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    check(ort->GetAllocatorWithDefaultOptions(&allocator));

    int64_t sizes[8], expected_sizes[8];
    size_t rank, expected_rank, count, expected_count;
    float *data = read_npy(argv[2], "input_0.npy", sizes, &rank, &count);
    float *expected = read_npy(argv[2], "output_0.npy", expected_sizes, &expected_rank, &expected_count);

    char *input_name, *output_name;
    OrtValue *input = NULL, *output = NULL;
    check(ort->SessionGetInputName(session, 0, allocator, &input_name));
    check(ort->SessionGetOutputName(session, 0, allocator, &output_name));
    check(ort->CreateTensorWithDataAsOrtValue(memory, data, count * sizeof *data, sizes, rank,
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &input));
    const char *input_names[] = {input_name}, *output_names[] = {output_name};
    const OrtValue *inputs[] = {input};
    check(ort->Run(session, NULL, input_names, inputs, 1, output_names, 1, &output));

    float *found;
    check(ort->GetTensorMutableData(output, (void **)&found));
    double most = 1e-30, apart = 0;
    for (size_t i = 0; i < expected_count; i++) {
        most = fmax(most, fabs(expected[i]));
        apart = fmax(apart, fabs((double)expected[i] - found[i]));
    }
    printf("%s is apart by %.2e of its largest value; %s is allowed\n", output_name, apart / most, argv[3]);
    int passed = apart / most <= atof(argv[3]);

    ort->ReleaseValue(input);
    ort->ReleaseValue(output);
    ort->ReleaseMemoryInfo(memory);
    ort->ReleaseSession(session);
    ort->ReleaseSessionOptions(options);
    ort->ReleaseEnv(env);
    free(data);
    free(expected);
    return passed ? 0 : 1;
}
