/* Puts the model file MODEL into the program's read-only data, at the alignment the runtime asks for. */
  .section .rodata
  .balign 4096
  .global model, model_end
model:
  .incbin MODEL
model_end:
  .section .note.GNU-stack, "", %progbits
